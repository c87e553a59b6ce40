#!/usr/bin/env bash
# Runs a build for AVX-512 on a processor without it: a Linux in Bochs, which emulates a Skylake-X, starts the tool, and that
# verifies the golden cases. Takes a minute or two of one core. Ends with 77 where Bochs and what it needs cannot be had, or the
# machine is too busy for it.
#
#     Tests/emulated.sh TOOL        TOOL: the tool as make AVX512=1 build makes it
set -euo pipefail
tool=$(realpath "${1:?the built tool}")
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

missing() {
    echo "not emulated: $1"
    exit 77
}

# Packages of Debian: the emulator and its screen, what a disk image to boot from is made of, and a kernel.
packages=(bochs bochs-term bochsbios vgabios isolinux syslinux-common genisoimage cpio busybox-static)
dpkg -s "${packages[@]}" > /dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } > /dev/null 2>&1 ||
    missing "${packages[*]} cannot be installed here"
kernel=$(apt-cache depends linux-image-cloud-amd64 2> /dev/null | sed -n 's/.*Depends: //p' | head -n 1)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fastweights-kernel
mkdir -p "$cache"
ls "$cache/$kernel"_*.deb > /dev/null 2>&1 || (cd "$cache" && apt-get download -qq "$kernel" > /dev/null 2>&1) ||
    missing "the kernel $kernel cannot be fetched here"
dpkg -x "$cache/$kernel"_*.deb "$folder/kernel"

# What the tool needs, and what starts it.
mkdir -p "$folder"/root/{bin,proc,dev,lib,lib64} "$folder/disk"
cp "$(command -v busybox)" "$folder/root/bin/busybox"
strip -o "$folder/root/fastweights" "$tool"
ldd "$tool" | awk '$3 ~ /^\// { print $3 }' | xargs cp -L -t "$folder/root/lib"
strip "$folder"/root/lib/* 2> /dev/null || true
cp -L /lib64/ld-linux-x86-64.so.2 "$folder/root/lib64"
cp -r Fixtures "$folder/root"
# Bochs 2.7 makes nothing of a mask of sixteen shifted right by fifteen (kshiftrw), so that the losses of an episode, which are
# summed over the lanes of such a mask, lack the last lane.
rm -r "$folder/root/Fixtures/episodes"
cat > "$folder/root/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
exec > /dev/ttyS0 2>&1
export LD_LIBRARY_PATH=/lib
cd /
./fastweights info
./fastweights verify > /verified
echo "verify ended with $?"
/bin/busybox grep -v 'pass$' /verified
/bin/busybox sleep 2
/bin/busybox poweroff -f
END
chmod +x "$folder/root/init"
(cd "$folder/root" && find . | cpio --quiet -o -H newc | gzip -1) > "$folder/disk/initrd"
cp "$folder"/kernel/boot/vmlinuz-* "$folder/disk/vmlinuz"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$folder/disk"
# Bochs counts the bytes of compact state wrongly, for which Linux would switch off AVX.
cat > "$folder/disk/isolinux.cfg" <<'END'
DEFAULT tool
LABEL tool
  KERNEL vmlinuz
  INITRD initrd
  APPEND console=ttyS0,115200 quiet mitigations=off clearcpuid=xsavec,xsaves random.trust_cpu=on lpj=4000000 tsc=reliable
END
genisoimage -quiet -o "$folder/disk.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table \
    "$folder/disk"

cat > "$folder/bochsrc" <<END
cpu: model=corei7_skylake_x, ips=100000000
memory: guest=1024, host=1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$folder/disk.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$folder/serial
display_library: term
clock: sync=none
log: $folder/log
panic: action=fatal
END
# The debugger of Debian's Bochs asks what to do; the screen wants a terminal.
echo c > "$folder/commands"
status=0
TERM=vt100 timeout 420 script -q -e -c "bochs -q -f $folder/bochsrc -rc $folder/commands" /dev/null \
    > /dev/null 2>&1 < /dev/null || status=$?
tr -d '\r' < "$folder/serial" > "$folder/said"
if [ "$status" = 124 ] && ! grep -q "verify ended" "$folder/said"; then missing "it took more than seven minutes"; fi
grep -q "trait AVX512" "$folder/said" && grep -q "verify ended with 0" "$folder/said" || {
    cat "$folder/said"
    exit 1
}
grep " passed, 0 failed" "$folder/said"
