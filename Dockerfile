# nws in a small image, as a user without rights. What it keeps (keys, certificates, pins) is in /var/lib/nws.
#
#   docker build --tag nws .
#   docker run --rm nws demo --once
#   docker run --rm --volume nws-exit:/var/lib/nws nws exit --target http://web:3000 --relay wss://relay.example

FROM node:22-slim AS build
WORKDIR /opt/nws
COPY package.json package-lock.json ./
# No package's install script is needed: native parts come ready-made.
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.mjs --no-types && npm prune --omit=dev --ignore-scripts

FROM node:22-slim
ENV NODE_ENV=production NWS_HOME=/var/lib/nws
COPY --from=build /opt/nws/package.json /opt/nws/LICENSE /opt/nws/
COPY --from=build /opt/nws/node_modules /opt/nws/node_modules
COPY --from=build /opt/nws/dist /opt/nws/dist
RUN install --directory --owner=node --group=node --mode=700 /var/lib/nws \
 && printf '#!/bin/sh\nexec node /opt/nws/dist/main.js "$@"\n' > /usr/local/bin/nws \
 && chmod 755 /usr/local/bin/nws
USER node
WORKDIR /var/lib/nws
VOLUME /var/lib/nws
ENTRYPOINT ["nws"]
CMD ["--help"]
