# A drop folder that is missing when the service starts, a disk that is mounted late, and one that is taken away.
rmdir /srv/drop
judge "without its drop folder it starts" systemctl start uploader
judge "and tells the folder as a hold" within 20 held "/srv/drop is missing"
mkdir /srv/drop && shared /srv/drop
drop late.tif 11
judge "a folder that is made later is written to" within 90 archived 1
judge "after one new start, which is told" starts 1
judge "and which is no failure" is Result success
judge "the hold is over by itself" quiet held "/srv/drop"

afresh
rmdir /srv/drop
systemctl start uploader
mkdir /srv/drop && mount -t tmpfs -o size=100m tmpfs /srv/drop && shared /srv/drop
drop disk.tif 12
judge "a disk that is mounted later where nothing was is written to" within 90 archived 1
systemctl stop uploader

afresh
systemctl start uploader
mount -t tmpfs -o size=100m tmpfs /srv/drop && shared /srv/drop
drop over.tif 13
judge "so is one that is mounted over a folder which was there" within 90 archived 1
drop kept.txt.tif 14
within 60 archived 2
touch /srv/drop/waits && drop waits.tif 15 && within 60 archived 3
umount /srv/drop 2>/dev/null || umount -l /srv/drop
mount -t tmpfs -o size=100m tmpfs /srv/drop && shared /srv/drop
drop again.tif 16
judge "another disk in its place, too" within 120 archived 4
judge "without a new start" starts 1
judge "and the unit is alive" systemctl is-active -q uploader
grep srv "/proc/$(main_pid)/mountinfo"
