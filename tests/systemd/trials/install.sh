# From nothing to the first item: init, install-service, a check through the unit's eyes, and the way back.
# Whatever the other trials had installed is taken away first.
rm -rf /etc/systemd/system/uploader.service* /etc/uploader /srv/drop /srv/done /usr/lib/sysusers.d/uploader.conf
systemctl daemon-reload
began=$SECONDS
up=/opt/uploader/bin/uploader
printf '%s\n' "$SANDBOX_KEY" > /root/key
first() {
  $up init --project p-1 --folder /srv/drop --archive /srv/done --base-url http://127.0.0.1:8899 --key-file /root/key
}
judge "init writes and checks the configuration" first
judge "the key is root's alone" test "$(stat -c '%a %U' /etc/uploader/api-key)" = "600 root"
judge "init again finds nothing to do" sh -c "$(declare -f first); up=$up; first | grep -q 'Nothing to do'"
judge "install-service can be looked at before" sh -c "$up install-service --dry-run | grep -q 'systemctl restart'"
judge "and that has changed nothing" quiet test -e /etc/systemd/system/uploader.service
judge "install-service installs and starts it" $up install-service
judge "its folders are the group's" test "$(stat -c '%a %G' /srv/drop)" = "2775 rasters"
drop first.tif 31
judge "the first item is there" within 120 archived 1
judge "in under three minutes" test $((SECONDS - began)) -lt 180
echo "first item after $((SECONDS - began)) s"
judge "install-service again finds nothing to do" sh -c "$up install-service | grep -q 'Nothing to do'"
judge "a check as the service finds all well" $up check --service
judge "which has the service's credential and rights" \
  sh -c "$up check --service --json | grep -q 'the key is accepted' && $up check --service --json | grep -q 'can be archived'"
chmod 700 /srv/done && chown root:root /srv/done
judge "and one that cannot archive is found out" quiet $up check --service
shared /srv/done
sed -i 's/drain_seconds.*//; $a [transfer]\ndrain_seconds = 90' /etc/uploader/config.toml
$up install-service >/dev/null
judge "a longer drain gets a longer stop" is TimeoutStopUSec "2min 30s"
pid=$(main_pid)
judge "the whole unit is in order" systemd-analyze verify --recursive-errors=yes --man=no uploader.service
judge "it is as confined as it was shipped" \
  sh -c "systemd-analyze security uploader.service --no-pager | tail -1 | grep -E 'uploader.service: (0|1\.[0-3])'"
printf "%s\n" "$SANDBOX_KEY" > /etc/uploader/api-key
judge "a key that is written anew has it started anew" within 30 restarted "$pid"
judge "uninstall takes it away" $up install-service --uninstall
judge "and leaves configuration, key and memory" test -e /etc/uploader/api-key -a -e /var/lib/uploader/journal.sqlite
judge "with no unit left" quiet systemctl cat uploader
$up install-service --dry-run > /root/steps.sh
judge "what --dry-run prints installs the same" sh -eu /root/steps.sh
drop second.tif 32
judge "and it works" within 60 archived 2
$up install-service | tail -3
$up install-service --uninstall > /dev/null
