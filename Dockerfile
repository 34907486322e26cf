# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
# SQLite and ring are built from C.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Without the feature `demo`: nothing simulated goes into production.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package snapshot-bot --no-default-features --bin snapshot-bot \
    && cp target/release/snapshot-bot /usr/local/bin/snapshot-bot

FROM debian:bookworm-slim
# Root certificates are compiled in, so nothing needs to be installed here.
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin snapshot-bot \
    && install -d -o snapshot-bot -g snapshot-bot -m 0750 /data
COPY --from=build /usr/local/bin/snapshot-bot /usr/local/bin/snapshot-bot
USER snapshot-bot
WORKDIR /data
VOLUME /data
ENV DATABASE_URL=sqlite:///data/snapshot-bot.db \
    HTTP_ADDR=0.0.0.0:8080 \
    LOG_FORMAT=json
EXPOSE 8080
# bash speaks TCP by itself, so that the image needs no curl.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && IFS= read -r line <&3 && [[ $line == *' 200 '* ]]"]
# The bot drains within 8 s of SIGTERM, inside the 10 s that Docker grants.
STOPSIGNAL SIGTERM
ENTRYPOINT ["snapshot-bot"]
CMD ["run"]
