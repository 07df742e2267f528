#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/guests/fetch.sh DIR - Debian's arm64 packages, what of them boots goes to DIR. Nothing
# is installed: apt runs with folders of its own, on this machine's Debian sources.
set -eu
dir=$(mkdir -p "$1" && cd "$1" && pwd)
apt=$dir/apt
suite=${GUESTS_SUITE:-bookworm}

mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,parts}
: > "$apt/status"
# Only Debian's own: other archives that this machine may know have no arm64 packages.
if ! cat /etc/apt/sources.list.d/debian.sources > "$apt/parts/debian.sources" 2>/dev/null; then
	rm -f "$apt/parts/debian.sources"
	grep -h "^deb .*$suite" /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
		> "$apt/parts/debian.list" 2>/dev/null || {
		echo "tests/guests: no sources for Debian $suite in /etc/apt" >&2
		exit 1
	}
fi
apt_own() {
	"$@" -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
		-o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
		-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/parts" \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none \
		-o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false
}

# apt_own CMD ARGS...: the options go behind the command's own words.
apt_own apt-get update
# The image that the meta package stands for, without its ABI number wired in.
linux=$(apt_own apt-cache depends linux-image-arm64 |
	sed -n 's/.*Depends: \(linux-image-[0-9.-]*-arm64\).*/\1/p' | head -n 1)
[ -n "$linux" ] || { echo 'tests/guests: linux-image-arm64 depends on no kernel' >&2; exit 1; }

cd "$apt"
rm -f ./*.deb
apt_own apt-get download "$linux" busybox-static u-boot-qemu qemu-efi-aarch64 xen-hypervisor-4.17-arm64
for deb in ./*.deb; do
	dpkg -x "$deb" root
done
cp root/boot/vmlinuz-* "$dir/vmlinuz"
cp root/bin/busybox "$dir/busybox"
cp root/usr/lib/u-boot/qemu_arm64/u-boot.bin "$dir/u-boot.bin"
cp root/usr/share/qemu-efi-aarch64/QEMU_EFI.fd "$dir/edk2.fd"
cp root/boot/xen-4.17-arm64 "$dir/xen"
ls -- *.deb > "$dir/versions"
cd "$dir"
rm -rf "$apt"
