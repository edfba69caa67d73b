# docker run -e OPENAI_API_KEY -p 8080:8080 weir
ARG BASE=debian:12-slim

FROM ${BASE} AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	gcc libc6-dev make pkg-config libevent-dev libssl-dev libcurl4-openssl-dev libjansson-dev libyaml-dev libhiredis-dev libsqlite3-dev zlib1g-dev libpcre2-dev
WORKDIR /src
COPY Makefile ./
COPY gateway gateway
COPY plugins plugins
COPY conf/prices conf/prices
RUN make -j"$(nproc)" all && strip build/weir

FROM ${BASE}
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	ca-certificates libevent-core-2.1-7 libevent-pthreads-2.1-7 libssl3 libcurl4 libjansson4 libyaml-0-2 libhiredis0.14 libsqlite3-0 zlib1g libpcre2-8-0 tzdata \
	&& rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/weir /usr/local/bin/weir
COPY LICENSE /usr/share/doc/weir/LICENSE
ENV WEIR_LISTEN_ADDRESS=0.0.0.0:8080 WEIR_ADMIN_ADDRESS=0.0.0.0:9090
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s CMD ["/usr/local/bin/weir", "health"]
ENTRYPOINT ["/usr/local/bin/weir"]
CMD ["serve"]
