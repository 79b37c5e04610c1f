# migsafe with PostgreSQL, for CI jobs: docker build --tag migsafe .
# Another server: --build-arg POSTGRES=16.9-bookworm

ARG POSTGRES=17.5-bookworm

FROM postgres:${POSTGRES} AS build
# hadolint ignore=DL3008 # the versions of Debian's release, which the base image names
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY migsafe migsafe
COPY rules rules
# pip compiles the modules: the user of the image cannot write beside them.
RUN python3 -m venv /opt/migsafe \
    && /opt/migsafe/bin/pip install --no-cache-dir .

FROM postgres:${POSTGRES}
LABEL org.opencontainers.image.title="migsafe" \
      org.opencontainers.image.description="Checks PostgreSQL migrations before they reach production." \
      org.opencontainers.image.source="https://example.com/migsafe" \
      org.opencontainers.image.licenses="MIT"
# A CI system mounts the checkout with another owner, and git would refuse to read it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git python3 \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*' \
    && useradd --create-home --uid 1000 migsafe
COPY --from=build /opt/migsafe /opt/migsafe
ENV PATH=/opt/migsafe/bin:$PATH
USER 1000
WORKDIR /work
# CI systems start a shell, so the server's own entry point must not run.
ENTRYPOINT []
CMD ["migsafe", "--help"]
