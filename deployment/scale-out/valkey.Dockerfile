# Valkey as Debian builds it, in a container:
#
#     docker build --file deployment/scale-out/valkey.Dockerfile --tag secure-messaging-valkey deployment/scale-out
#
# Not the project's own image: its jemalloc is built with the prefix `je_` and reads another variable than
# MALLOC_CONF, and whether it then overwrites what is freed was not measured. Of Debian's it was.
FROM debian:13-slim
# The newest of this release of Debian, whose versions get fixes only.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends valkey-server valkey-tools \
 && rm -rf /var/lib/apt/lists/*
ENV MALLOC_CONF=junk:free
# Nothing is written: it has no volume.
WORKDIR /
USER 10001:10001
EXPOSE 6379
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/valkey-server"]
CMD ["/etc/valkey/valkey.conf"]
