# syntax=docker/dockerfile:1

# Builds program and page files as `cargo xtask build --release` does anywhere else.
FROM rust:1.95-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends nodejs npm \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The caches outlive the step, so what is wanted of `target` is copied out in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/root/.cache/stepback \
    --mount=type=cache,target=/src/target \
    cargo xtask build --release \
 && mkdir /out \
 && cp -r target/release/stepback target/release/site /out/

FROM debian:bookworm-slim
RUN groupadd --gid 10001 stepback \
 && useradd --uid 10001 --gid stepback --no-create-home --home-dir /data --shell /usr/sbin/nologin stepback \
 && install -d -o stepback -g stepback -m 0750 /data
# The program looks for `site/` beside itself.
COPY --from=build /out/ /opt/stepback/
ENV STEPBACK_DATA_DIR=/data
USER stepback
WORKDIR /data
VOLUME /data
# Neither curl nor wget is in the image: bash speaks enough HTTP.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/3000 && printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200'"]
ENTRYPOINT ["/opt/stepback/stepback"]
CMD ["serve"]
