# syntax=docker/dockerfile:1

# Pin the build image by digest: --build-arg BUILD_IMAGE=rust:1.95.0-alpine@sha256:… (CONTRIBUTING.md, "Still open").
ARG BUILD_IMAGE=rust:1.95.0-alpine

FROM ${BUILD_IMAGE} AS source
# SQLite and ring are built from C. With musl, Alpine's C library, programs are linked statically by default.
RUN apk add --no-cache gcc musl-dev && cargo install --locked cargo-auditable@0.7.7
WORKDIR /src
COPY . .
# Keep paths of the build machine out of panics and logs.
ENV RUSTFLAGS="--remap-path-prefix=/src= --remap-path-prefix=/usr/local/cargo=cargo"

FROM source AS build-demo
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo auditable build --release --locked --package snapshot-bot --bin snapshot-bot \
    && install -D target/release/snapshot-bot /image/usr/local/bin/snapshot-bot \
    && install -D -m 0644 LICENSE THIRD_PARTY.md -t /image/usr/local/share/doc/snapshot-bot \
    && mkdir -p -m 1777 /image/tmp

# The demo, with everything that it simulates: docker build --target demo. It is built only on request.
FROM scratch AS demo
COPY --from=build-demo --chown=0:0 /image/usr /usr
COPY --from=build-demo --chown=0:0 /image/tmp /tmp
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
# Nothing outside the container can reach its loopback. Publish the port on the host's loopback only.
ENTRYPOINT ["/usr/local/bin/snapshot-bot", "demo", "--no-open", "--listen", "0.0.0.0:8080"]

FROM source AS build
# Without the feature `demo`, because production needs no simulated services.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo auditable build --release --locked --package snapshot-bot --no-default-features --bin snapshot-bot \
    && install -D target/release/snapshot-bot /image/usr/local/bin/snapshot-bot \
    && install -D -m 0644 LICENSE THIRD_PARTY.md -t /image/usr/local/share/doc/snapshot-bot \
    && mkdir -p -m 1777 /image/tmp \
    && mkdir -p -m 0750 /image/data

# Nothing but the program: no shell, no package manager, no C library. Root certificates are compiled in.
FROM scratch
COPY --from=build --chown=0:0 /image/usr /usr
COPY --from=build --chown=0:0 /image/tmp /tmp
COPY --from=build --chown=10001:10001 /image/data /data
USER 10001:10001
WORKDIR /data
VOLUME /data
# Without DATABASE_URL the database is /data/snapshot-bot.db.
ENV PATH=/usr/local/bin \
    HTTP_ADDR=0.0.0.0:8080 \
    LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["snapshot-bot", "healthcheck"]
# The bot exits within 8 seconds of SIGTERM; Docker allows 10.
STOPSIGNAL SIGTERM
ENTRYPOINT ["snapshot-bot"]
CMD ["run"]
