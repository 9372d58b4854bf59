# The gateway with its model and settings. Build and run:
#   docker build --tag assize .
#   docker run --rm --read-only --publish 127.0.0.1:8080:8080 assize

FROM rust:1.95.0-bookworm AS builder
WORKDIR /build
# Without rust-toolchain.toml: the image brings the same compiler, and rustup would fetch rustfmt and clippy for it.
COPY Cargo.toml Cargo.lock ./
COPY crates/ crates/
# Members of the workspace, never built here; cargo wants to read their manifests.
COPY xtask/ xtask/
COPY tests/ tests/
COPY config/ config/
# A cache mount is not part of the image, so the binary is copied out of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    cargo build --release --locked --package assize-server \
    && install -D target/release/assize /out/assize

# glibc, certificates and nothing else: no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Assize" \
      org.opencontainers.image.description="Moderation of chatbot conversations by the values of the community they serve" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"

COPY --from=builder /out/assize /usr/local/bin/assize
WORKDIR /srv/assize
# Owned by root and read-only to the service, which writes nothing but standard output and standard error.
COPY models/ models/
COPY config/ config/

# Inside a container the loopback would reach nobody.
ENV ASSIZE__SERVER__LISTEN=0.0.0.0:8080
USER 65532:65532
EXPOSE 8080
# Liveness, not readiness: Docker restarts nothing because of it, and a starting model is no illness.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["assize", "probe", "http://127.0.0.1:8080/livez"]
ENTRYPOINT ["assize"]
CMD ["serve"]
