# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The boot sector with which _accelerator.py tries KVM. A test builds it and compares:
#   as --64 probe.s -o probe.o && ld -m elf_x86_64 -Ttext 0x7c00 --oformat binary -o probe.bin probe.o
.code16
.globl _start
_start:
    cli
    xorw %ax,%ax
    movw %ax,%ds
    movw %ax,%es
    movw %ax,%ss
    movw $0x7c00,%sp
    movw $0x3f8,%dx
    movb $'r',%al
    outb %al,%dx
    # page tables at 0x1000: identity map of 1 GiB by 2 MiB pages
    cld
    movl $0x1000,%edi
    movl %edi,%cr3
    xorl %eax,%eax
    movw $0x0c00,%cx
    rep stosl
    movl $0x2003,0x1000
    movl $0x3003,0x2000
    movl $0x0083,0x3000
    movl %cr4,%eax
    orl $0x620,%eax
    movl %eax,%cr4
    movl $0xc0000080,%ecx
    rdmsr
    orl $0x100,%eax
    wrmsr
    lgdt gdtp
    movl %cr0,%eax
    andl $0xfffffffb,%eax
    orl $0x80000003,%eax
    movl %eax,%cr0
    ljmp $8,$long
.code64
long:
    movw $0x3f8,%dx
    movb $'l',%al
    outb %al,%dx
    # a vector instruction
    pxor %xmm0,%xmm0
    movb $'s',%al
    outb %al,%dx
    # the timer's interrupt is vector 0x20
    movq $0x4000,%rdi
    movl $handler,%eax
    movw %ax,0x4200
    movw $8,0x4202
    movw $0x8e00,0x4204
    lidt idtp
    movb $0x11,%al
    outb %al,$0x20
    movb $0x20,%al
    outb %al,$0x21
    movb $0x04,%al
    outb %al,$0x21
    movb $0x01,%al
    outb %al,$0x21
    movb $0xfe,%al
    outb %al,$0x21
    movb $0x34,%al
    outb %al,$0x43
    xorl %eax,%eax
    outb %al,$0x40
    outb %al,$0x40
    sti
1:  hlt
    jmp 1b
handler:
    movw $0x3f8,%dx
    movb $'t',%al
    outb %al,%dx
    movb $0x20,%al
    outb %al,$0x20
    iretq
gdtp: .word 15
    .long gdt
gdt: .quad 0
    .quad 0x00209a0000000000
idtp: .word 0x20f
    .quad 0x4000
.org 510
.word 0xaa55
