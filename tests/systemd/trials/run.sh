# Runs the named trials inside the booted system, as root, each from a clean start. Prints `ok WHAT` or `not ok WHAT` for
# each thing that has to hold, and `ended TRIAL`.
judge() { # judge WHAT COMMAND...: the command's success is the verdict
  local what=$1; shift
  if "$@"; then echo "ok $what"; else echo "not ok $what"; fi
}
is() { [ "$(systemctl show uploader -p "$1" --value)" = "$2" ]; }
within() { # within SECONDS COMMAND...
  local end=$((SECONDS + $1)); shift
  until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.5; done
}
archived() { [ "$(find /srv/done -name '*.tif' | wc -l)" = "$1" ]; }
restarted() { [ "$(systemctl show uploader -p MainPID --value)" != "$1" ] && systemctl is-active -q uploader; }
main_pid() { systemctl show uploader -p MainPID --value; }
quiet() { ! "$@"; }
drop() { # drop NAME SEED: alice writes a raster
  su alice -c "umask 002; /opt/uploader/bin/python /opt/drop.py /srv/drop/$1 $2"
}

afresh() { # the service as it was installed, with no files, no memory, and its drop folder in place
  systemctl stop uploader; systemctl reset-failed uploader
  umount -l /srv/drop 2>/dev/null
  rm -rf /srv/drop /srv/done /var/lib/uploader /run/systemd/system/uploader.service.d
  mkdir /srv/drop /srv/done; shared /srv/drop /srv/done
  cp /opt/config.toml /etc/uploader/config.toml
  chgrp rasters /etc/uploader/config.toml && chmod 640 /etc/uploader/config.toml
  systemctl daemon-reload
} 2>/dev/null
shared() { # shared FOLDER...: people of the group drop there
  chgrp rasters "$@" && chmod 2775 "$@"
}
held() { # held TEXT: a hold says so
  /opt/uploader/bin/uploader status -c /etc/uploader/config.toml --json |
    python3 -c 'import json, sys; sys.exit(not any(sys.argv[1] in h["reason"] for h in json.load(sys.stdin)["holds"]))' "$1"
}
starts() { [ "$(journalctl -u uploader --no-pager | grep -c 'starting again')" = "$1" ]; }

systemd-sysusers
useradd -m -G rasters alice
systemctl start sandbox 2>/dev/null
within 20 curl -fsS -o /dev/null http://127.0.0.1:8899/sandbox/state 2>/dev/null

for trial in "$@"; do
  afresh
  . "/opt/trials/$trial.sh"
  echo "ended $trial"
done
