# What an administrator does by hand: the package is replaced while the service works, root gives commands while it is
# stopped, and a damaged journal is repaired.
up=/opt/uploader/bin/uploader; conf=/etc/uploader/config.toml
systemctl start uploader
drop a.tif 51
/opt/uploader/bin/pip install -q --no-deps --force-reinstall /opt/*.whl 2>/dev/null
drop b.tif 52
judge "what runs goes on though its package was replaced" within 90 archived 2
judge "and starts again" systemctl restart uploader

systemctl stop uploader
$up pause -c $conf 2>/dev/null && $up resume -c $conf 2>/dev/null
judge "after commands of root it starts" systemctl start uploader
drop c.tif 53
judge "and goes on" within 60 archived 3

systemctl stop uploader
dd if=/dev/urandom of=/var/lib/uploader/journal.sqlite bs=4096 seek=1 count=20 conv=notrunc 2>/dev/null
systemctl start uploader 2>/dev/null
judge "a damaged journal ends with 78" is ExecMainStatus 78
judge "root repairs it, with the service's key" $up check --repair-journal -c $conf
systemctl reset-failed uploader
judge "and the service may write to it" systemctl start uploader
drop d.tif 54
judge "and goes on with it" within 60 archived 4
judge "nothing is missing, as root is told" sh -c "$up audit -c $conf --json | grep -q '\"missing\": 0.*\"unclear\": 0'"
