# Callmend as a container: one file on distroless; no shell, no root, nothing is written.
#
#   docker build -t callmend .
#
# The images can be changed with --build-arg:
#   BUILD_IMAGE    anything with a shell and Node's npm
#   RUNTIME_IMAGE  anything with glibc and the certificates of authorities
# A release puts the very file in that was tested: --build-context build=<folder with out/callmend> (BuildKit).
ARG BUILD_IMAGE=docker.io/library/node:22-bookworm-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/base-nossl-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /callmend
COPY .ci/tools .ci/tools.json .ci/
RUN .ci/tools /opt/tools
ENV PATH=/opt/tools/node_modules/.bin:$PATH DENO_TLS_CA_STORE=system,mozilla
COPY deno.json deno.lock ./
RUN deno install --quiet --frozen
COPY .ci .ci
COPY src src
ARG CALLMEND_COMMIT=unknown
ARG SOURCE_DATE_EPOCH=
RUN deno run -A .ci/compile.ts --target host --out /out

FROM ${RUNTIME_IMAGE}
COPY --from=build /out/callmend /usr/bin/callmend
# All addresses of the container: which of them are reachable from outside is for who runs it to say. Without INSECURE
# it would not listen there unless CLIENT_KEYS are set.
ENV PROXY_HOST=0.0.0.0 INSECURE=1
EXPOSE 8787
# A number, so that Kubernetes can tell that it is not root; any other works as well.
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["/usr/bin/callmend", "healthcheck"]
ENTRYPOINT ["/usr/bin/callmend"]
