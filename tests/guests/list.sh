# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The guests, a row each; who sources this defines `row`. $G is where `make guests` puts
# their files.
#
#   row NAME LEVELS MARKER QEMU'S ARGUMENTS...
#
# LEVELS: the exception levels at which tables are worth a look, one after the other; before
#         them s2:PC, where a hypervisor's guest starts, its own MMU still off.
# MARKER: the line of the console that says it is up.
linux=(-m 1G -kernel "$G/vmlinuz" -initrd "$G/initrd")
quiet='console=ttyAMA0 quiet'

# The reference guest of tests/bench: 30,000 tables of one process, and what Linux has.
row linux 'el0 el1' 'guest: ready' -M virt -cpu cortex-a57 "${linux[@]}" -append "$quiet nokaslr"
# With KASLR, and so KPTI: at EL0 TTBR1 has the trampoline alone.
row linux-kpti 'el0 el1' 'guest: ready' -M virt -cpu cortex-a57 "${linux[@]}" -append "$quiet kpti=1"
# 52-bit registers, hardware access flag and dirty state, PAN, E0PD, BTI.
row linux-max 'el0 el1' 'guest: ready' -M virt -cpu max,pauth-impdef=on "${linux[@]}" -append "$quiet"
# The same with an EL2 that it leaves alone.
row linux-nvhe 'el0 el1' 'guest: ready' -M virt,virtualization=on -cpu cortex-a57 "${linux[@]}" \
	-append "$quiet"
# The kernel at EL2 with VHE: the EL2&0 regime; TTBRn_EL1 hold other values.
row linux-vhe 'el0 el2' 'guest: ready' -M virt,virtualization=on -cpu max,pauth-impdef=on \
	"${linux[@]}" -append "$quiet"
row uboot-el1 'el1' '=> ' -M virt -cpu cortex-a57 -m 1G -bios "$G/u-boot.bin"
row uboot-el2 'el2' '=> ' -M virt,virtualization=on -cpu cortex-a57 -m 1G -bios "$G/u-boot.bin"
row uboot-el3 'el3' '=> ' -M virt,secure=on,virtualization=on -cpu cortex-a57 -m 1G \
	-bios "$G/u-boot.bin"
row edk2-el1 'el1' 'Shell>' -M virt -cpu cortex-a57 -m 1G -bios "$G/edk2.fd"
row edk2-el2 'el2' 'Shell>' -M virt,virtualization=on -cpu cortex-a57 -m 1G -bios "$G/edk2.fd"
# Two stages, IPA != PA: a guest of Xen's that is no dom0 (its addresses would be equal).
# 44 bits of IPA and four levels; then 40 bits, with two concatenated tables at level 1.
xen=(-M 'virt,virtualization=on,gic-version=2' -m 2G -kernel "$G/xen" -dtb "$G/xen.dtb"
	-device "loader,file=$G/vmlinuz,addr=0x50000000,force-raw=on"
	-device "loader,file=$G/initrd,addr=0x58000000,force-raw=on")
row xen 's2:40000004 el0 el1 el2' 'guest: ready' -cpu cortex-a57 "${xen[@]}"
row xen-a53 's2:40000004 el0 el1 el2' 'guest: ready' -cpu cortex-a53 "${xen[@]}"
