/** Numbers of a system call on x86-64 and on arm64; null where it does not exist. */
type Numbers = readonly [x64: number, arm64: number | null];

// What a pod has no use for, and what more than a hundred faults of the kernel were reached through: other processes, namespaces and
// mounts, keys, tracing, asynchronous queues past every other check, the machine itself, and memory that is shared by a name.
const REFUSED: Readonly<Record<string, Numbers>> = {
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  kcmp: [312, 272],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
  pidfd_send_signal: [424, 424],
  tkill: [200, 130],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
  setpriority: [141, 140],
  sched_setparam: [142, 118],
  sched_setscheduler: [144, 119],
  sched_setaffinity: [203, 122],
  sched_setattr: [314, 274],
  ioprio_set: [251, 30],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  mknod: [133, null],
  mknodat: [259, 33],
  memfd_secret: [447, 447],
  modify_ldt: [154, null],
  personality: [135, 92],
  vhangup: [153, 58],
  iopl: [172, null],
  ioperm: [173, null],
  fanotify_init: [300, 262],
  shmget: [29, 194],
  shmat: [30, 196],
  shmctl: [31, 195],
  msgget: [68, 186],
  msgsnd: [69, 189],
  msgrcv: [70, 188],
  msgctl: [71, 187],
  semget: [64, 190],
  semop: [65, 193],
  semtimedop: [220, 192],
  semctl: [66, 191],
  mq_open: [240, 180],
  mq_unlink: [241, 181],
  // A pod is one process. Children would outlive it where no namespace holds them.
  fork: [57, null],
  vfork: [58, null],
  // Open files on their way through a pair are in no process, and attributes in no block of a file: nobody would count them.
  socketpair: [53, 199],
  setxattr: [188, 5],
  lsetxattr: [189, 6],
  fsetxattr: [190, 7],
};

// What a wall without namespaces does not keep inside by itself: signals, and the mode, owner, times and attributes of files that
// a path names, which Landlock does not look at. Those of an open file stay allowed.
const REFUSED_WITHOUT_NAMESPACES: Readonly<Record<string, Numbers>> = {
  kill: [62, 129],
  tgkill: [234, 131],
  chmod: [90, null],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  chown: [92, null],
  lchown: [94, null],
  fchownat: [260, 54],
  utime: [132, null],
  utimes: [235, null],
  futimesat: [261, null],
  removexattr: [197, 14],
  lremovexattr: [198, 15],
};
/** With a path it is of the same kind; for an open file its path is null. */
const UTIMENSAT: Numbers = [280, 88];
const SOCKET: Numbers = [41, 198];
const CLONE: Numbers = [56, 220];
const CLONE3: Numbers = [435, 435];
const PRLIMIT64: Numbers = [302, 261];
/** The first that nobody has looked at yet; what comes after it is told not to exist. */
const UNKNOWN = 463;
/** Calls for the 32-bit form of x86-64 carry this bit. */
const X32 = 0x40000000;

const AUDIT_ARCH: Readonly<Record<string, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };

// struct seccomp_data: the number, the architecture, the address, and six arguments of eight bytes.
const NUMBER = 0;
const ARCHITECTURE = 4;
const argument = (index: number) => 16 + 8 * index;

const LOAD = 0x20;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const HAS_BITS = 0x45;
const RETURN = 0x06;
const AND = 0x54;

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const refuse = (errno: number) => 0x00050000 | errno;
const EPERM = refuse(1);
const EACCES = refuse(13);
const ENOSYS = refuse(38);

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
/** The kind of a socket without its flags. */
const SOCK_KIND = 0xf;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
/** Every kind of new namespace that `clone` can make. */
const NEW_NAMESPACES = 0x7e020000;
const CLONE_THREAD = 0x00010000;

/**
 * A filter for the system calls of a pod, as the kernel takes it. Without `namespaces` around it no signal can be sent at all.
 * Undefined for a processor whose numbers are not known here.
 */
export function seccompFilter(
  { namespaces }: { namespaces: boolean },
  processor: string = process.arch,
): Buffer | undefined {
  const architecture = AUDIT_ARCH[processor];
  if (architecture === undefined) return undefined;
  const of = (numbers: Numbers) => (processor === 'x64' ? numbers[0] : numbers[1]);
  const program: [code: number, yes: number, no: number, value: number][] = [];
  const add = (code: number, value: number, yes = 0, no = 0) => void program.push([code, yes, no, value]);
  const answer = (value: number) => add(RETURN, value);
  /** What follows is for this call only: so many instructions are left out for others. */
  const only = (numbers: Numbers, count: number) => add(EQUAL, of(numbers) as number, 0, count);

  add(LOAD, ARCHITECTURE);
  add(EQUAL, architecture, 1, 0);
  answer(KILL);
  add(LOAD, NUMBER);
  add(AT_LEAST, X32, 0, 1);
  answer(KILL);
  add(AT_LEAST, UNKNOWN, 0, 1);
  answer(ENOSYS);
  // TCP and UDP, and what os.networkInterfaces asks; socket files and everything else, for which the kernel would load modules, are
  // refused.
  only(SOCKET, 16);
  add(LOAD, argument(0));
  add(EQUAL, AF_INET, 2, 0);
  add(EQUAL, AF_INET6, 1, 0);
  add(EQUAL, AF_NETLINK, 8, 11);
  add(LOAD, argument(1));
  add(AND, SOCK_KIND);
  add(EQUAL, SOCK_STREAM, 1, 0);
  add(EQUAL, SOCK_DGRAM, 0, 7);
  add(LOAD, argument(2));
  add(EQUAL, IPPROTO_TCP, 4, 0);
  add(EQUAL, IPPROTO_UDP, 3, 0);
  add(EQUAL, 0, 2, 3);
  add(LOAD, argument(2));
  add(EQUAL, 0, 0, 1);
  answer(ALLOW);
  answer(EACCES);
  // Threads, and no other process.
  only(CLONE, 5);
  add(LOAD, argument(0));
  add(HAS_BITS, NEW_NAMESPACES, 1, 0);
  add(HAS_BITS, CLONE_THREAD, 1, 0);
  answer(EPERM);
  answer(ALLOW);
  // Its arguments are in memory, where no filter sees them; libraries then use the one above.
  only(CLONE3, 1);
  answer(ENOSYS);
  // Its own limits only.
  only(PRLIMIT64, 4);
  add(LOAD, argument(0));
  add(EQUAL, 0, 0, 1);
  answer(ALLOW);
  answer(EPERM);
  if (!namespaces) {
    only(UTIMENSAT, 6);
    add(LOAD, argument(1));
    add(EQUAL, 0, 0, 3);
    add(LOAD, argument(1) + 4);
    add(EQUAL, 0, 0, 1);
    answer(ALLOW);
    answer(EPERM);
  }
  const refused = { ...REFUSED, ...(namespaces ? {} : REFUSED_WITHOUT_NAMESPACES) };
  for (const numbers of Object.values(refused)) {
    if (of(numbers) === null) continue;
    only(numbers, 1);
    answer(EPERM);
  }
  answer(ALLOW);

  const filter = Buffer.alloc(program.length * 8);
  for (const [at, [code, yes, no, value]] of program.entries()) {
    filter.writeUInt16LE(code, at * 8);
    filter.writeUInt8(yes, at * 8 + 2);
    filter.writeUInt8(no, at * 8 + 3);
    filter.writeUInt32LE(value >>> 0, at * 8 + 4);
  }
  return filter;
}
