/* Kernel interfaces that Debian 12's headers do not have; each with the kernel that brought it.  The only place for such constants. */
#ifndef SANDBOX_COMPAT_H
#define SANDBOX_COMPAT_H

#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>

/* seccomp */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND /* 5.14 */
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP /* 6.6 */
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

/* close_range */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_UNSHARE /* 5.9 */
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef CLOSE_RANGE_CLOEXEC /* 5.11 */
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* pidfd */
#ifndef PIDFD_THREAD /* 6.9; equals O_EXCL */
#define PIDFD_THREAD 0200
#endif

/* Landlock: our own attribute so that an old header compiles; the kernel accepts a longer structure whose tail is zero. */
struct pw_landlock_ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped;             /* ABI 6 */
};
struct pw_landlock_net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};
#define PW_LANDLOCK_RULE_NET_PORT 2
#define PW_LL_FS_EXECUTE (1ULL << 0)
#define PW_LL_FS_WRITE_FILE (1ULL << 1)
#define PW_LL_FS_READ_FILE (1ULL << 2)
#define PW_LL_FS_READ_DIR (1ULL << 3)
#define PW_LL_FS_REMOVE_DIR (1ULL << 4)
#define PW_LL_FS_REMOVE_FILE (1ULL << 5)
#define PW_LL_FS_MAKE_CHAR (1ULL << 6)
#define PW_LL_FS_MAKE_DIR (1ULL << 7)
#define PW_LL_FS_MAKE_REG (1ULL << 8)
#define PW_LL_FS_MAKE_SOCK (1ULL << 9)
#define PW_LL_FS_MAKE_FIFO (1ULL << 10)
#define PW_LL_FS_MAKE_BLOCK (1ULL << 11)
#define PW_LL_FS_MAKE_SYM (1ULL << 12)
#define PW_LL_FS_REFER (1ULL << 13)        /* ABI 2, 5.19 */
#define PW_LL_FS_TRUNCATE (1ULL << 14)     /* ABI 3, 6.2 */
#define PW_LL_FS_IOCTL_DEV (1ULL << 15)    /* ABI 5, 6.10 */
#define PW_LL_FS_RESOLVE_UNIX (1ULL << 16) /* ABI 9, 7.1 */
#define PW_LL_NET_BIND_TCP (1ULL << 0)     /* ABI 4, 6.7 */
#define PW_LL_NET_CONNECT_TCP (1ULL << 1)
#define PW_LL_SCOPE_ABSTRACT_UNIX (1ULL << 0) /* ABI 6, 6.12 */
#define PW_LL_SCOPE_SIGNAL (1ULL << 1)

/* ioctl of /proc/PID/maps, 6.11: one mapping. */
struct pw_procmap_query {
	uint64_t size, query_flags, query_addr;
	uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};
#define PW_PROCMAP_QUERY _IOWR('f', 17, struct pw_procmap_query)
#define PW_PROCMAP_QUERY_VMA_SHARED 0x08

/* System calls younger than 6.1's headers; the numbers are the same on x86_64 and aarch64 (the common table), but for the first two. */
#define PW_NR_uretprobe 335 /* x86_64 only */
#define PW_NR_uprobe 336
#define PW_NR_cachestat 451
#define PW_NR_fchmodat2 452
#define PW_NR_map_shadow_stack 453
#define PW_NR_futex_wake 454
#define PW_NR_futex_wait 455
#define PW_NR_futex_requeue 456
#define PW_NR_statmount 457
#define PW_NR_listmount 458
#define PW_NR_lsm_get_self_attr 459
#define PW_NR_lsm_set_self_attr 460
#define PW_NR_lsm_list_modules 461
#define PW_NR_mseal 462
#define PW_NR_setxattrat 463
#define PW_NR_getxattrat 464
#define PW_NR_listxattrat 465
#define PW_NR_removexattrat 466
#define PW_NR_open_tree_attr 467
#define PW_NR_file_getattr 468
#define PW_NR_file_setattr 469
#define PW_NR_listns 470
#define PW_NR_rseq_slice_yield 471

#endif
