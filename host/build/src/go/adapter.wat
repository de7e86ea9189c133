;; WASI preview 1, as far as the Go runtime needs it, over Weir's world.
;;
;; It keeps no memory of its own: it uses the main module's, and there what Go
;; leaves free below address 12288 (the linker keeps it for arguments, which only
;; JavaScript hosts pass; the first 4096 bytes stay zero, for nil pointers):
;;
;;   4096  standard output: how many bytes the line has that was begun; from 4104, they
;;   8192  standard error: the same; from 8200
;;  12264  where the host puts the address and length of random bytes
;;  12272  whether the host is being asked: what runs meanwhile gives it memory, and can
;;         ask nothing itself. The SDK says so, and this module where it asks.
;;  12280  the time that was told last, in nanoseconds
;;
;; The stock adapter asks the main module for memory before Go has started, which
;; ends in a full stack; or grows the memory, which Go then believes to be its own.
(module
  (import "env" "memory" (memory 0))
  (import "weir:guest/context@0.1.0" "now" (func $now (result f64)))
  (import "weir:guest/crypto@0.1.0" "random-bytes" (func $random_bytes (param i32 i32)))
  (import "weir:guest/log@0.1.0" "write" (func $log (param i32 i32 i32)))
  ;; Whether there is a time, and that in milliseconds; 0: a task has ended, 1: the time is over,
  ;; 2: there is nothing to wait for, 3: this is no action.
  (import "weir:guest/tasks@0.1.0" "poll" (func $poll (param i32 f64) (result i32)))

  ;; Where the host puts random bytes: they are asked for by running Go code, never before.
  (import "__main_module__" "cabi_realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
  (func (export "cabi_import_realloc") (param i32 i32 i32 i32) (result i32)
    (call $realloc (local.get 0) (local.get 1) (local.get 2) (local.get 3)))

  ;; ---- Nothing is passed: no arguments, no environment.

  (func $two_zeros (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))
  (func $nothing (param i32 i32) (result i32) (i32.const 0))
  (export "args_sizes_get" (func $two_zeros))
  (export "environ_sizes_get" (func $two_zeros))
  (export "args_get" (func $nothing))
  (export "environ_get" (func $nothing))

  ;; ---- The clock: it stands still, but in an action. Whole milliseconds stay exact.

  (func (export "clock_time_get") (param $id i32) (param $precision i64) (param $at i32) (result i32)
    (local $ms f64)
    ;; Go's memory looks at the clock, also while the host is given some of it. Go refuses a
    ;; clock that says 0.
    (if (i32.load (i32.const 12272))
      (then
        (i64.store (local.get $at) (i64.or (i64.load (i32.const 12280)) (i64.const 1)))
        (return (i32.const 0))))
    (local.set $ms (call $now))
    (i64.store (i32.const 12280)
      (i64.add
        (i64.mul (i64.trunc_sat_f64_s (local.get $ms)) (i64.const 1000000))
        (i64.trunc_sat_f64_s
          (f64.mul
            (f64.sub (local.get $ms) (f64.trunc (local.get $ms)))
            (f64.const 1000000)))))
    (i64.store (local.get $at) (i64.load (i32.const 12280)))
    (i32.const 0))
  (func (export "clock_res_get") (param $id i32) (param $at i32) (result i32)
    (i64.store (local.get $at) (i64.const 1))
    (i32.const 0))

  ;; ---- Random bytes: the host's, of which it gives 65536 at once and no error. Go asks
  ;; for crypto/rand; what its own run time needs, it has asked for at build time.

  (func (export "random_get") (param $at i32) (param $len i32) (result i32)
    (local $part i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $len)))
        (local.set $part
          (select (i32.const 65536) (local.get $len) (i32.gt_u (local.get $len) (i32.const 65536))))
        (i32.store (i32.const 12272) (i32.const 1))
        (call $random_bytes (local.get $part) (i32.const 12264))
        (i32.store (i32.const 12272) (i32.const 0))
        (memory.copy (local.get $at) (i32.load (i32.const 12268)) (local.get $part))
        (local.set $at (i32.add (local.get $at) (local.get $part)))
        (local.set $len (i32.sub (local.get $len) (local.get $part)))
        (br $next)))
    (i32.const 0))

  ;; ---- What is printed becomes log lines: of standard output, of the level `log`,
  ;; of standard error `warn`. What Go says when it gives up is an `error`, so that
  ;; the host can tell why the call trapped; the stack traces after it are not.

  (func $begins_with_giving_up (param $text i32) (param $len i32) (result i32)
    (local $head i64)
    (if (i32.lt_u (local.get $len) (i32.const 8)) (then (return (i32.const 0))))
    (local.set $head (i64.load align=1 (local.get $text)))
    (i32.or
      ;; "fatal er"
      (i64.eq (local.get $head) (i64.const 0x7265206c61746166))
      ;; "panic: "
      (i64.eq
        (i64.and (local.get $head) (i64.const 0x00ffffffffffffff))
        (i64.const 0x00203a63696e6170))))
  (func $end_line (param $line i32)
    (local $text i32)
    (local $len i32)
    (local $level i32)
    (local.set $text (i32.add (local.get $line) (i32.const 8)))
    (local.set $len (i32.load (local.get $line)))
    (i32.store (local.get $line) (i32.const 0))
    (local.set $level (i32.const 2))
    (if (i32.eq (local.get $line) (i32.const 8192))
      (then
        ;; Go puts an empty line before its stack traces.
        (if (i32.eqz (local.get $len)) (then (return)))
        (local.set $level
          (i32.add (i32.const 3) (call $begins_with_giving_up (local.get $text) (local.get $len))))))
    (call $log (local.get $level) (local.get $text) (local.get $len)))
  (func $print (param $line i32) (param $at i32) (param $len i32)
    (local $end i32)
    (local $byte i32)
    (local $have i32)
    (local.set $end (i32.add (local.get $at) (local.get $len)))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (local.set $byte (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (if (i32.eq (local.get $byte) (i32.const 10))
          (then
            (call $end_line (local.get $line))
            (br $next)))
        (local.set $have (i32.load (local.get $line)))
        ;; A line longer than there is room for goes on in another.
        (if (i32.eq (local.get $have) (i32.const 4000))
          (then
            (call $end_line (local.get $line))
            (local.set $have (i32.const 0))))
        (i32.store8 offset=8 (i32.add (local.get $line) (local.get $have)) (local.get $byte))
        (i32.store (local.get $line) (i32.add (local.get $have) (i32.const 1)))
        (br $next))))
  (func (export "fd_write")
    (param $fd i32) (param $pieces i32) (param $count i32) (param $written i32) (result i32)
    (local $sum i32)
    (local $len i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1))
      (then (return (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $len (i32.load offset=4 (local.get $pieces)))
        (call $print
          (i32.mul (local.get $fd) (i32.const 4096))
          (i32.load (local.get $pieces))
          (local.get $len))
        (local.set $sum (i32.add (local.get $sum) (local.get $len)))
        (local.set $pieces (i32.add (local.get $pieces) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; A line is over without its line break when it is asked for, as the SDK does at
  ;; the end of a call.
  (func (export "fd_sync") (param $fd i32) (result i32)
    (local $line i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1))
      (then (return (i32.const 8))))
    (local.set $line (i32.mul (local.get $fd) (i32.const 4096)))
    (if (i32.load (local.get $line)) (then (call $end_line (local.get $line))))
    (i32.const 0))

  ;; ---- The end, and waiting for it.

  (func (export "proc_exit") (param i32) (unreachable))
  (func (export "sched_yield") (result i32) (i32.const 0))
  ;; Go asks for this when no goroutine can go on, with its next timer, if there is one, and the
  ;; tasks, if a goroutine waits for one: then the host suspends the action until one of them is
  ;; there. Go asks with a timer of no time, too, to learn whether a task has ended meanwhile.
  (func (export "poll_oneoff")
    (param $wanted i32) (param $events i32) (param $count i32) (param $happened i32) (result i32)
    (local $timer i32)
    (local $tasks i32)
    (local $end i32)
    (local $told i32)
    (local.set $end (i32.add (local.get $wanted) (i32.mul (local.get $count) (i32.const 48))))
    (local.set $told (local.get $wanted))
    (block $read
      (loop $next
        (br_if $read (i32.ge_u (local.get $told) (local.get $end)))
        (if (i32.eqz (i32.load8_u offset=8 (local.get $told)))
          (then (local.set $timer (local.get $told)))
          (else (local.set $tasks (local.get $told))))
        (local.set $told (i32.add (local.get $told) (i32.const 48)))
        (br $next)))
    (local.set $told
      (call $first (local.get $timer) (local.get $tasks)))
    (if (i32.eqz (local.get $told)) (then (call $refuse_to_wait)))
    (memory.fill (local.get $events) (i32.const 0) (i32.const 32))
    (i64.store (local.get $events) (i64.load (local.get $told)))
    (i32.store8 offset=10 (local.get $events) (i32.load8_u offset=8 (local.get $told)))
    (i32.store (local.get $happened) (i32.const 1))
    (i32.const 0))
  ;; Which of the two came first; 0 for neither, where nobody waits.
  (func $first (param $timer i32) (param $tasks i32) (result i32)
    (local $nanos i64)
    (local $polled i32)
    (if (local.get $timer) (then (local.set $nanos (i64.load offset=24 (local.get $timer)))))
    ;; Go waits for a moment before it says why it gives up: where the host cannot be asked, that
    ;; moment is over at once.
    (if (i32.load (i32.const 12272)) (then (return (local.get $timer))))
    ;; Whole microseconds, and no less than Go asks for: else it would ask again for what is left.
    (local.set $polled
      (call $poll
        (i32.ne (local.get $timer) (i32.const 0))
        (f64.div
          (f64.ceil (f64.div (f64.convert_i64_u (local.get $nanos)) (f64.const 1000)))
          (f64.const 1000))))
    (if (i32.eq (local.get $polled) (i32.const 3))
      (then
        (return
          (select (local.get $timer) (i32.const 0) (i64.le_u (local.get $nanos) (i64.const 1000000))))))
    ;; If no task is under way any more, the goroutine that waits for one is to see that.
    (if (i32.and
          (i32.ne (local.get $polled) (i32.const 1))
          (i32.ne (local.get $tasks) (i32.const 0)))
      (then (return (local.get $tasks))))
    (local.get $timer))
  ;; A query or a mutation waits for nothing, as its clock stands still.
  ;; (An adapter can have no data of its own, so the text is made of words.)
  (func $refuse_to_wait
    ;; "a functi"
    (i64.store (i32.const 8200) (i64.const 0x6974636e75662061))
    ;; "on canno"
    (i64.store (i32.const 8208) (i64.const 0x6f6e6e6163206e6f))
    ;; "t wait ("
    (i64.store (i32.const 8216) (i64.const 0x2820746961772074))
    ;; "time.Sle"
    (i64.store (i32.const 8224) (i64.const 0x656c532e656d6974))
    ;; "ep, time"
    (i64.store (i32.const 8232) (i64.const 0x656d6974202c7065))
    ;; "rs): its"
    (i64.store (i32.const 8240) (i64.const 0x737469203a297372))
    ;; " clock s"
    (i64.store (i32.const 8248) (i64.const 0x73206b636f6c6320))
    ;; "tands st"
    (i64.store (i32.const 8256) (i64.const 0x74732073646e6174))
    ;; "ill"
    (i64.store (i32.const 8264) (i64.const 0x00000000006c6c69))
    (call $log (i32.const 4) (i32.const 8200) (i32.const 67))
    (unreachable))

  ;; ---- The only file is 3, by which a goroutine waits for tasks: Go's scheduler looks after
  ;; what does not block (4), and polls it. There is nothing to be read from it.

  (func (export "fd_fdstat_get") (param $fd i32) (param $at i32) (result i32)
    (if (i32.ne (local.get $fd) (i32.const 3)) (then (return (i32.const 8))))
    (memory.fill (local.get $at) (i32.const 0) (i32.const 24))
    (i32.store16 offset=2 (local.get $at) (i32.const 4))
    (i32.const 0))

  ;; ---- There are no others: 8 is "bad descriptor", 52 "not supported".

  (func $no_file_1 (param i32) (result i32) (i32.const 8))
  (func $no_file_2 (param i32 i32) (result i32) (i32.const 8))
  (func $no_file_3 (param i32 i32 i32) (result i32) (i32.const 8))
  (func $no_file_4 (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (func $no_file_5 (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (export "fd_close" (func $no_file_1))
  (export "fd_datasync" (func $no_file_1))
  (export "fd_fdstat_set_flags" (func $no_file_2))
  (export "fd_filestat_get" (func $no_file_2))
  (export "fd_prestat_get" (func $no_file_2))
  (export "fd_renumber" (func $no_file_2))
  (export "fd_tell" (func $no_file_2))
  (export "sock_shutdown" (func $no_file_2))
  (export "fd_prestat_dir_name" (func $no_file_3))
  (export "path_create_directory" (func $no_file_3))
  (export "path_remove_directory" (func $no_file_3))
  (export "path_unlink_file" (func $no_file_3))
  (export "sock_accept" (func $no_file_3))
  (export "fd_read" (func $no_file_4))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func $no_file_at (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (export "fd_pread" (func $no_file_at))
  (export "fd_pwrite" (func $no_file_at))
  (export "fd_readdir" (func $no_file_at))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (export "path_filestat_get" (func $no_file_5))
  (export "path_symlink" (func $no_file_5))
  (export "sock_send" (func $no_file_5))
  (func $no_file_6 (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (export "path_readlink" (func $no_file_6))
  (export "path_rename" (func $no_file_6))
  (export "sock_recv" (func $no_file_6))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 8))
)
