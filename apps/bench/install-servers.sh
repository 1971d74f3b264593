#!/bin/sh
# Installs the servers of the peers that `pnpm bench compare` measures, on Debian and its kin. Each is optional: a peer
# whose server is missing is left out. The benchmark starts its own, on ports of their own; none needs to run as a service.
set -e
apt-get install -y --no-install-recommends nats-server redis-server rabbitmq-server
