// Sends messages with an official client and ends when all have been answered: node deliver.mjs <client> <url> <key> <count>
import { Analytics } from "@segment/analytics-node";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const [, , name, url, key, count] = process.argv;

function message(number) {
  return {
    userId: `user-${number % 50}`,
    event: "Report Viewed",
    properties: { number, note: "zoë \u{1F642}" },
    context: { groupId: `company-${number % 7}` },
  };
}

const clients = {
  async segment() {
    const client = new Analytics({ writeKey: key, host: url, maxRetries: 10, flushInterval: 200 });
    client.on("error", (error) => console.error(error));
    for (let number = 0; number < Number(count); number += 1) client.track(message(number));
    await client.closeAndFlush();
  },
  async rudder() {
    const client = new RudderAnalytics(key, { dataPlaneUrl: url, flushAt: 50, gzip: true, maxInternalQueueSize: 50_000 });
    // It measures its whole queue at each message: a long queue makes it slower than any server.
    for (let number = 0; number < Number(count); number += 1) {
      client.track(message(number));
      if (number % 50 === 49) await client.flush();
    }
    while (client.queue.length > 0) await client.flush();
    await client.flush();
  },
};

await clients[name]();
