# A day of the service: work, a kill, a hang, a wrong configuration, an end.
systemctl start uploader
judge "started, it has said that it is ready" systemctl is-active -q uploader
drop a.tif 1
drop b.tif 2
judge "another user's rasters become items and are archived" within 60 archived 2
judge "what converts is confined by Landlock and seccomp" \
  sh -c "journalctl -u uploader --no-pager | grep -q 'converter ready.*files=.Landlock.*syscalls=.seccomp'"
journalctl -u uploader --no-pager | grep -m1 -o 'converter ready.*'
judge "the journal can be filtered by file" \
  test -n "$(journalctl -u uploader -q FOLDER=/srv/drop FILE=a.tif --no-pager -o cat | grep claimed)"
judge "no key in the environment" quiet grep -qa gpra_ "/proc/$(main_pid)/environ"
judge "nobody else reads the state" quiet su alice -c 'ls /var/lib/uploader >/dev/null 2>&1'

pid=$(main_pid)
kill -9 "$pid"
judge "killed, it is started again" within 30 restarted "$pid"
drop c.tif 3
judge "and goes on" within 60 archived 3

mkdir -p /run/systemd/system/uploader.service.d
printf '[Service]\nWatchdogSec=6\n' > /run/systemd/system/uploader.service.d/watchdog.conf
systemctl daemon-reload && systemctl restart uploader
sleep 13
judge "idle, it keeps feeding the watchdog" is NRestarts 0
pid=$(main_pid)
kill -STOP "$pid"
judge "wedged, the watchdog restarts it" within 40 restarted "$pid"

cp /etc/uploader/config.toml /root/good.toml
echo 'bogus = 1' > /etc/uploader/config.toml
systemctl restart uploader
judge "a wrong configuration ends with 78" is ExecMainStatus 78
sleep 8
judge "and is not tried again" is NRestarts 0
cp /root/good.toml /etc/uploader/config.toml
systemctl reset-failed uploader
judge "mended, it starts" systemctl start uploader

began=$SECONDS
systemctl stop uploader
judge "it stops cleanly" is Result success
judge "and at once" test $((SECONDS - began)) -le 5
