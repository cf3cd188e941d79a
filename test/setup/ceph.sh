#!/usr/bin/env bash
# A Ceph object gateway with object lock on loopback, in memory, for tests: ceph.sh DIRECTORY PORT ACCESS_KEY SECRET_KEY.
# Runs in the foreground and ends with its standard input, taking everything along. Needs Debian's ceph-mon, ceph-osd and
# radosgw, and root. Prints `ready` once the gateway answers.
set -euo pipefail
dir=$1 port=$2 access=$3 secret=$4
mon_port=$((port + 1))
conf=$dir/ceph.conf
mkdir -p "$dir"/{mon,osd,rgw,run,log}
fsid=$(cat /proc/sys/kernel/random/uuid)
cat >"$conf" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$mon_port/0]
keyring = $dir/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = $dir/run
admin socket = $dir/run/\$name.asok
log file = $dir/log/\$name.log
pid file = $dir/run/\$name.pid
[mon.a]
mon data = $dir/mon
[osd.0]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 1073741824
[client.rgw.a]
rgw data = $dir/rgw
rgw frontends = beast endpoint=127.0.0.1:$port
rgw thread pool size = 16
rgw enable usage log = false
CONF

pids=()
stop() {
  trap - EXIT
  # The shell has nothing to say about how they end.
  exec 2>/dev/null
  ((${#pids[@]})) && kill -KILL "${pids[@]}" 2>/dev/null
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' TERM INT

key() { ceph-authtool "$dir/keyring" --gen-key -n "$@" >/dev/null; }
ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
key client.admin --cap mon 'allow *' --cap osd 'allow *'
key client.rgw.a --cap mon 'allow rw' --cap osd 'allow rwx'
key osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon_port]" "$dir/monmap" >/dev/null
ceph-mon -c "$conf" --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring" --setuser root --setgroup root
ceph-mon -c "$conf" -f -i a --setuser root --setgroup root >>"$dir/log/out" 2>&1 &
pids+=($!)
id=$(cat /proc/sys/kernel/random/uuid)
timeout 60 ceph -c "$conf" osd new "$id" >/dev/null
ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$id" --setuser root --setgroup root >>"$dir/log/out" 2>&1
ceph-osd -c "$conf" -f -i 0 --setuser root --setgroup root >>"$dir/log/out" 2>&1 &
pids+=($!)
timeout 90 radosgw-admin -c "$conf" -n client.rgw.a user create --uid=tests --display-name=tests \
  --access-key="$access" --secret-key="$secret" >/dev/null
radosgw -c "$conf" -n client.rgw.a -f --setuser root --setgroup root >>"$dir/log/out" 2>&1 &
pids+=($!)
for _ in $(seq 300); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo ready
    # Until whoever started this closes its end, or is gone.
    cat >/dev/null
    exit 0
  fi
  sleep 0.2
done
tail -20 "$dir/log/out" >&2
exit 1
