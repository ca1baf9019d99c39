# agentapi-proxy with its included demo agent. Other agents are installed on top; see docs/install.md.
FROM node:24-bookworm AS build
WORKDIR /src
COPY . .
# Not "npm ci", which wants the lock file to name programs for every system, and it names those of Linux only.
# Scripts of dependencies are not needed to compile; the one native module is built by the installation below.
RUN npm install --ignore-scripts \
 && npx tsc -b packages/server tools \
 && node tools/dist/build-console.js \
 && node tools/dist/build-programs.js \
 && npm pack --workspace packages/agent-server --workspace packages/server --pack-destination /src
# The headers lie beside node, so that nothing else is fetched to build the native module. What it was built from is
# three quarters of the whole, and nothing needs it any more.
RUN npm_config_nodedir=/usr/local npm install --global --prefix /opt/agentapi-proxy /src/*.tgz \
 && find /opt/agentapi-proxy -type d -path '*/better-sqlite3/*' \( -name deps -o -name src -o -name obj.target \) -prune -exec rm -r {} +

FROM node:24-bookworm-slim
# git for repositories, tini because agents leave processes behind that somebody must wait for. Their versions are not
# pinned: Debian keeps only the newest, and that is the one with the fixes.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git tini \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/agentapi-proxy /opt/agentapi-proxy
RUN ln -s /opt/agentapi-proxy/bin/agentapi-proxy /usr/local/bin/agentapi-proxy \
 && install -d -o 1000 -g 1000 -m 0700 /data \
 && install -d -o 1000 -g 1000 /app

# A container is reached from outside or not at all, so the server listens on every address of it. Without
# authentication it refuses to, unless AGENTAPI_PROXY_ALLOW_INSECURE_BIND=true says that nobody else gets there.
# Nothing in a container outlives its first process, so sessions are ended in order.
ENV NODE_ENV=production \
    AGENTAPI_PROXY_HOST=0.0.0.0 \
    AGENTAPI_PROXY_PORT=8080 \
    AGENTAPI_PROXY_DATA_DIR=/data \
    AGENTAPI_PROXY_ON_SHUTDOWN=terminate

USER 1000:1000
WORKDIR /app
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.AGENTAPI_PROXY_PORT + '/readyz').then((answer) => { process.exitCode = answer.ok ? 0 : 1 }, () => { process.exitCode = 1 })"]
ENTRYPOINT ["tini", "--", "agentapi-proxy"]
CMD ["server"]
