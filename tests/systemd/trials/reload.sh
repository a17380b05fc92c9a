# The configuration is read again beside the work: a right one, a wrong one, and a folder more.
systemctl start uploader
pid=$(main_pid)
sed -i 's/^settle_seconds = 1.0/settle_seconds = 2.0/' /etc/uploader/config.toml
judge "reload succeeds" systemctl reload uploader
told() { journalctl -u uploader --no-pager | grep -q "$1"; }
judge "and is told" within 20 told "configuration: read again.*folders.*changed=/srv/drop"
judge "and the unit is active again" within 20 systemctl is-active -q uploader
mkdir -p /srv/more && shared /srv/more
printf '[[folders]]\npath = "/srv/more"\nproject_id = "p-1"\nsettle_seconds = 1.0\n' >> /etc/uploader/config.toml
systemctl reload uploader
within 20 told "folders added=/srv/more"
su alice -c "umask 002; /opt/uploader/bin/python /opt/drop.py /srv/more/m.tif 21"
completed() { /opt/uploader/bin/uploader status -c /etc/uploader/config.toml --json | grep -q '"completed": 1'; }
judge "a folder that was added is watched" within 60 completed
sed -i '$a after_upload = "delete"' /etc/uploader/config.toml
systemctl reload uploader
judge "what the unit may not write to is told with its way out" within 20 told "/srv/more.*cannot be changed.*ReadWritePaths="
cp /etc/uploader/config.toml /root/good.toml
echo 'bogus = 1' >> /etc/uploader/config.toml
systemctl reload uploader
judge "a wrong one is refused in words" within 20 told "refused, the old one holds on.*bogus"
cp /root/good.toml /etc/uploader/config.toml
drop r.tif 22
judge "and the same daemon goes on" within 60 archived 1
judge "which has never ended" test "$(main_pid)" = "$pid"
rm -rf /srv/more
