# A key that is refused until it is replaced, converters that stand still, and a disk without room: each is told, and over
# by itself.
other=gpra_boot_test_key_0002
sandbox_key() { # sandbox_key KEY: the platform knows this key alone
  mkdir -p /run/systemd/system/sandbox.service.d
  printf '[Service]\nExecStart=\nExecStart=/opt/uploader/bin/uploader sandbox --root /var/box --port 8899 --api-key %s\n' \
    "$1" > /run/systemd/system/sandbox.service.d/key.conf
  systemctl daemon-reload && systemctl restart sandbox
  within 20 curl -fsS -o /dev/null http://127.0.0.1:8899/sandbox/state 2>/dev/null
}
systemctl start uploader-key.path
systemctl start uploader
sandbox_key $other
drop refused.tif 41
judge "a key that is refused is a hold" within 90 held key
printf '%s\n' $other > /etc/uploader/api-key
judge "a new key ends it" within 120 archived 1
judge "and the hold is over" within 60 quiet held key
systemctl stop uploader-key.path
printf '%s\n' "$SANDBOX_KEY" > /etc/uploader/api-key
sandbox_key "$SANDBOX_KEY"

afresh
began=$(date +%s)
systemctl start uploader
logged() { journalctl -u uploader --no-pager --since "@$began" | grep -q "$1"; }
drop first.tif 44
within 60 archived 1
stopped=$(pgrep -P "$(main_pid)" | xargs)
judge "there are converters" test -n "$stopped"
kill -STOP $stopped
drop stuck.tif 43
judge "a converter that stands still is told" within 120 logged 'made no progress for 50 seconds'
judge "it is replaced, and the raster goes on" within 120 archived 2
judge "those that stood still are gone" within 60 quiet kill -0 $stopped
judge "and the unit was never dead" is NRestarts 0

afresh
mkdir -p /var/lib/uploader && mount -t tmpfs -o size=24m,mode=0700,uid="$(id -u uploader)" tmpfs /var/lib/uploader
sed -i 's/^min_free_bytes = 0/min_free_bytes = "8MiB"/' /etc/uploader/config.toml
systemctl start uploader
dd if=/dev/zero of=/var/lib/uploader/filler bs=1M count=14 2>/dev/null
drop full.tif 42
judge "a disk without room is a hold" within 60 held free
rm /var/lib/uploader/filler
judge "with room again it goes on" within 90 archived 1
judge "and the hold is over" within 60 quiet held free
judge "and the unit was never dead" is NRestarts 0
systemctl stop uploader && umount /var/lib/uploader
