#!/bin/sh
# Installs the servers that `pnpm bench compare` can measure, on Debian and its derivatives. All are optional: the benchmark
# skips a system whose server is missing. It starts each server itself on a free port, so none needs to run as a service.
set -e
apt-get install -y --no-install-recommends nats-server redis-server rabbitmq-server
