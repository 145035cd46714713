// Bundles each script and style in api/static/src into api/static/dist under a name that holds its content's
// hash, and writes manifest.json (source name -> built name), so that browsers may keep a file for ever.
import { build } from "esbuild";
import { readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

const source = "api/static/src";
const target = "api/static/dist";

const names = (await readdir(source)).filter((name) => /\.(js|css)$/.test(name)).sort();
await rm(target, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: names.map((name) => join(source, name)),
  entryNames: "[name]-[hash]",
  outdir: target,
  bundle: true,
  external: ["/static/*"],
  format: "iife",
  legalComments: "eof",
  loader: { ".svg": "file", ".woff2": "file" },
  metafile: true,
  minify: true,
  target: ["es2022", "chrome123", "firefox128", "safari17.5"],
});

const built = Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint);
const manifest = Object.fromEntries(built.map(([path, output]) => [basename(output.entryPoint), basename(path)]));
await writeFile(join(target, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`${built.length} assets in ${target}`);
