# Built JavaScript on a slim Node 24, as a user who is not root. The compiler and the tests stay in the first stage.
# The base is named by its digest, so that the same Dockerfile gives the same image; docs/operating.md says how to find it:
#   --build-arg NODE_IMAGE=docker.io/library/node:24-slim@sha256:…
ARG NODE_IMAGE
FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY src src
COPY sandbox sandbox
COPY scripts scripts
RUN npm ci --ignore-scripts
# What `chains --version` shows: --build-arg COMMIT=$(git rev-parse --short=12 HEAD)
ARG COMMIT=
RUN COMMIT=$COMMIT npm run build && npm prune --omit=dev --omit=optional

FROM ${NODE_IMAGE}
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY deploy deploy
COPY examples examples
USER 65532:65532
# Memory is what an idle controller costs: docs/performance.md has what these options save and cost.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
ENTRYPOINT ["node", "--max-semi-space-size=1", "--optimize-for-size", "dist/src/main.js"]
CMD ["controller"]
