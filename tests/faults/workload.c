/* What a fault is injected under: a guest's (or a build's) honest work, then attempts of each kind, then an end.  Judged by effects: `did NAME` on
 * standard output, and what is in the files, at the sinks and in the processes that it is pointed to.
 *
 *   workload HOME OUTSIDE SOCKET PORT STRANGER     SOCKET, PORT: sinks of outside; STRANGER: a process of outside */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static const char *home, *outside, *agent;
static int port;
static pid_t stranger;
static char mine[400], path[1024], other[1024];

static const char *in(char *to, const char *folder, const char *name)
{
	snprintf(to, sizeof path, "%s/%s", folder, name);
	return to;
}

static void say(const char *what, const char *name)
{
	printf("%s %s\n", what, name);
	fflush(stdout);
}

static void phase(int n)
{
	snprintf(path, sizeof path, "/pw-fault-phase-%d", n);
	close(open(path, O_RDONLY));
}

/* --- honest --------------------------------------------------------------------------------------- */

static void spawn(const char *program)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void own_server(void)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in4;
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	if (server >= 0 && bind(server, (struct sockaddr *)&in4, sizeof in4) == 0 && listen(server, 4) == 0 &&
	    getsockname(server, (struct sockaddr *)&in4, &len) == 0 && connect(client, (struct sockaddr *)&in4, sizeof in4) == 0) {
		say("honest", "tcp");
	}
	close(server);
	close(client);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof un.sun_path, "%.90s/sock", mine);
	server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(server, (struct sockaddr *)&un, sizeof un) == 0 && listen(server, 4) == 0 && connect(client, (struct sockaddr *)&un, sizeof un) == 0) {
		say("honest", "unix");
	}
	close(server);
	close(client);
	unlink(un.sun_path);
}

static void own_files(void)
{
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
	int dir = open(mine, O_RDONLY | O_DIRECTORY), fd = openat(dir, "a", O_RDWR | O_CREAT, 0644);

	if (fd >= 0 && write(fd, "text", 4) == 4 && fchmodat(dir, "a", 0755, 0) == 0 && utimensat(dir, "a", times, 0) == 0) {
		say("honest", "file");
	}
	setxattr(in(path, mine, "a"), "user.pw", "1", 1, 0);
	fchmod(fd, 0600);
	fchown(fd, getuid(), getgid());
	mkdirat(dir, "d", 0755);
	renameat(dir, "a", dir, "d/b");
	linkat(dir, "d/b", dir, "c", 0);
	symlinkat("d/b", dir, "l");
	truncate(in(path, mine, "l"), 1);
	close(open(path, O_RDONLY));
	close(open(in(path, mine, "d/../l"), O_RDWR | O_TRUNC));
	mknodat(dir, "fifo", S_IFIFO | 0600, 0);
	unlinkat(dir, "l", 0);
	unlinkat(dir, "c", 0);
	unlinkat(dir, "fifo", 0);
	unlinkat(dir, "d/b", 0);
	unlinkat(dir, "d", AT_REMOVEDIR);
	close(fd);
	close(dir);
}

static void honest(void)
{
	char text[64];
	int fd = open("/etc/hostname", O_RDONLY);

	close(fd);
	own_files();
	own_server();
	spawn("/bin/true");
	spawn("/nonexistent/true");
	fd = open("/proc/self/status", O_RDONLY);
	if (fd >= 0 && read(fd, text, sizeof text) > 0) {
		say("honest", "proc");
	}
	close(fd);
	close(open("/proc/self/fd", O_RDONLY | O_DIRECTORY));
	close(open("/proc/meminfo", O_RDONLY));
	fd = open("/dev/shm/pw-workload", O_RDWR | O_CREAT, 0600);
	unlink("/dev/shm/pw-workload");
	close(fd);
	pid_t child = fork();
	if (child == 0) {
		alarm(2); /* a kill that is refused must not be waited for */
		pause();
		_exit(0);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	kill(0, SIGURG);
	getenv("AWS_SECRET_ACCESS_KEY");
	struct addrinfo *list = NULL;
	if (getaddrinfo("localhost", "80", NULL, &list) == 0) {
		freeaddrinfo(list);
	}
}

/* --- attempts ------------------------------------------------------------------------------------- */

static void leak(int fd)
{
	char text[200];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;

	if (n > 0) {
		say("did", "read");
		fwrite(text, 1, (size_t)n, stdout);
	}
	close(fd);
}

static void reads(void)
{
	struct open_how how = {.flags = O_RDONLY};

	leak(open(in(path, home, ".ssh/id_ed25519"), O_RDONLY));
	leak((int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
	symlink(path, in(other, mine, "s"));
	leak(open(other, O_RDONLY));
	unlink(other);
	link(path, in(other, mine, "h"));
	leak(open(other, O_RDONLY));
	unlink(other);
	rename(path, in(other, mine, "r"));
	leak(open(other, O_RDONLY));
	snprintf(path, sizeof path, "/proc/%d/environ", (int)stranger);
	leak(open(path, O_RDONLY));
	snprintf(path, sizeof path, "/proc/%d/root%s/.ssh/id_ed25519", (int)getpid(), home);
	leak(open(path, O_RDONLY));
	leak(open("/proc/self/../1/environ", O_RDONLY));
	getxattr(in(path, home, ".ssh/id_ed25519"), "user.pw", other, sizeof other);
}

#define TRY(name, expression) do { if ((expression) >= 0) { say("did", name); } } while (0)

static void writes(void)
{
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};

	TRY("append", open(in(path, home, ".bashrc"), O_WRONLY | O_APPEND));
	TRY("empty", open(path, O_RDONLY | O_TRUNC));
	TRY("truncate", truncate(path, 1));
	TRY("mode", chmod(path, 0777));
	TRY("times", utimensat(AT_FDCWD, path, times, 0));
	TRY("xattr", setxattr(path, "user.pw", "1", 1, 0));
	TRY("owner", lchown(path, 1, 1));
	int fd = open(path, O_PATH);
	snprintf(other, sizeof other, "/proc/self/fd/%d", fd);
	TRY("mode by descriptor", chmod(other, 0777));
	TRY("open by descriptor", open(other, O_WRONLY));
	close(fd);
	TRY("unlink", unlink(path));
	TRY("rename away", rename(path, in(other, mine, "away")));
	TRY("create", open(in(path, outside, "new"), O_WRONLY | O_CREAT, 0644));
	TRY("mkdir", mkdir(in(path, outside, "folder"), 0755));
	TRY("mknod", mknod(in(path, outside, "fifo"), S_IFIFO | 0644, 0));
	TRY("symlink", symlink("/etc/passwd", in(path, outside, "link")));
	close(open(in(other, mine, "planted"), O_WRONLY | O_CREAT, 0644));
	TRY("rename over", rename(other, in(path, home, ".bashrc")));
	TRY("link over", link(other, in(path, outside, "hard")));
	TRY("set-id", chmod(other, 04755));
	unlink(other);
}

static void tell(int fd, const void *address, socklen_t len)
{
	struct timeval limit = {.tv_sec = 1};

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (fd >= 0 && connect(fd, address, len) == 0) {
		send(fd, "LEAK", 4, MSG_NOSIGNAL);
	}
	close(fd);
}

static void network(void)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct addrinfo *list = NULL;
	int fd;

	tell(socket(AF_INET, SOCK_STREAM, 0), &in4, sizeof in4);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	sendto(fd, "LEAK", 4, 0, (struct sockaddr *)&in4, sizeof in4);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	sendto(fd, "LEAK", 4, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&in4, sizeof in4);
	close(fd);
	snprintf(un.sun_path, sizeof un.sun_path, "%.100s", agent);
	tell(socket(AF_UNIX, SOCK_STREAM, 0), &un, sizeof un);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	sendto(fd, "LEAK", 4, 0, (struct sockaddr *)&un, sizeof un);
	close(fd);
	symlink(agent, in(other, mine, "agent"));
	snprintf(un.sun_path, sizeof un.sun_path, "%.100s", other);
	tell(socket(AF_UNIX, SOCK_STREAM, 0), &un, sizeof un);
	unlink(other);
	TRY("packet socket", socket(AF_PACKET, SOCK_RAW, 0));
	TRY("raw socket", socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
	TRY("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	if (getaddrinfo("leak.invalid", "80", NULL, &list) == 0) {
		freeaddrinfo(list);
		say("did", "resolve");
	}
}

static void processes(void)
{
	char text[8];
	struct iovec local = {text, 1}, remote = {(void *)home, 1};
	int pidfd = (int)syscall(SYS_pidfd_open, stranger, 0);

	/* In a PID namespace the number is nobody's. */
	TRY("kill", kill(stranger, SIGTERM));
	TRY("tgkill", syscall(SYS_tgkill, stranger, stranger, SIGTERM));
	TRY("pidfd kill", syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0));
	kill(getppid(), SIGCONT);
	TRY("ptrace", ptrace(PTRACE_SEIZE, stranger, NULL, NULL));
	TRY("memory", process_vm_readv(stranger, &local, 1, &remote, 1, 0));
	TRY("io_uring", syscall(SYS_io_uring_setup, 4, text));
	TRY("bpf", syscall(SYS_bpf, 0, text, 8));
	TRY("unshare", unshare(CLONE_NEWUSER));
	TRY("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	TRY("chroot", chroot("/"));
	spawn(in(path, home, "bin/tool"));
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");

	if (argc != 6 || tmp == NULL) {
		return 2;
	}
	home = argv[1], outside = argv[2], agent = argv[3], port = atoi(argv[4]), stranger = (pid_t)atoi(argv[5]);
	snprintf(mine, sizeof mine, "%s/w-XXXXXX", tmp);
	if (mkdtemp(mine) == NULL) {
		return 3;
	}
	alarm(25);
	honest();
	phase(1);
	reads();
	writes();
	network();
	processes();
	phase(2);
	rmdir(mine);
	say("end", "of the workload");
	return 0;
}
