# One image for every service of docker-compose.yml; the command says which one it is.

FROM node:24-bookworm-slim AS assets
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tools/build_assets.mjs tools/
COPY api/static/src api/static/src
COPY api/static/css api/static/css
RUN npm run build

FROM python:3.11-slim-bookworm AS packages
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
COPY requirements.txt requirements-dev.txt ./
RUN uv venv && uv pip sync --no-cache --require-hashes --compile-bytecode requirements.txt
COPY pyproject.toml README.md LICENSE ./
RUN uv pip install --no-cache --no-deps --build-constraints requirements-dev.txt --editable .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app --no-create-home everstay
ENV PATH="/app/.venv/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    EVERSTAY_PROFILE=production \
    EVERSTAY_API_HOST=0.0.0.0 \
    EVERSTAY_LOG_FORMAT=json
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY . .
COPY --from=assets /app/api/static/dist api/static/dist
RUN install --directory --owner=10001 /uploads
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["everstay"]
CMD ["serve", "api"]
