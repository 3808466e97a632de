//! The Rust side of a Marine module: memory, results, and what the host offers. The standard library is all it needs.
//! This file is part of this project: change it as you like.
//!
//! Arguments arrive as the host lays them out: numbers as they are, a text or an array as a pointer and a count, a record as a
//! pointer to its packed fields. `take_…` turns them into values and frees them, once. Results that are no numbers are given to
//! `give_…` and live until the host has copied them. Calling a function of another module with a text, an array or a record frees
//! what was given before: call first, give afterwards.
#![allow(dead_code)]

use std::alloc::{alloc, dealloc, handle_alloc_error, Layout};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static RESULTS: AtomicUsize = AtomicUsize::new(0);
static RESULT_POINTER: AtomicUsize = AtomicUsize::new(0);
static RESULT_SIZE: AtomicUsize = AtomicUsize::new(0);

/// In front of every block that the host sees: its size and, once it is a result, the next result.
#[repr(C)]
struct Block {
    size: usize,
    next: usize,
}

const HEAD: usize = std::mem::size_of::<Block>();

/// One byte more than wanted: the host cannot reach the last byte of a memory.
fn layout(size: usize) -> Layout {
    let total = size.checked_add(HEAD + 1).expect("a block is too large");
    Layout::from_size_align(total, 8).expect("a block is too large")
}

/// Memory for the host to read. Null for nothing.
fn block(size: usize) -> *mut u8 {
    if size == 0 {
        return std::ptr::null_mut();
    }
    let layout = layout(size);
    unsafe {
        let memory = alloc(layout);
        if memory.is_null() {
            handle_alloc_error(layout);
        }
        (memory as *mut Block).write(Block { size, next: 0 });
        memory.add(HEAD)
    }
}

unsafe fn free(memory: *mut u8) {
    if !memory.is_null() {
        let start = memory.sub(HEAD);
        dealloc(start, layout((*(start as *const Block)).size));
    }
}

/// Free the block when the host has copied the result.
fn keep(memory: *mut u8) {
    if !memory.is_null() {
        let start = unsafe { memory.sub(HEAD) };
        unsafe { (*(start as *mut Block)).next = RESULTS.load(Relaxed) };
        RESULTS.store(start as usize, Relaxed);
    }
}

fn give(memory: *mut u8, count: usize) {
    keep(memory);
    RESULT_POINTER.store(memory as usize, Relaxed);
    RESULT_SIZE.store(count, Relaxed);
}

fn copy_of(bytes: &[u8]) -> *mut u8 {
    let memory = block(bytes.len());
    if !memory.is_null() {
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len()) };
    }
    memory
}

// ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The elements of an array argument of numbers or packed records.
///
/// # Safety
/// The pointer and the count are those of one argument, taken once.
pub unsafe fn take_array<T: Copy>(pointer: *mut T, count: usize) -> Vec<T> {
    let out = (0..count).map(|at| pointer.add(at).read_unaligned()).collect();
    free(pointer as *mut u8);
    out
}

/// A text argument.
///
/// # Safety
/// As for `take_array`.
pub unsafe fn take_text(pointer: *mut u8, size: usize) -> String {
    String::from_utf8_lossy(&take_array(pointer, size)).into_owned()
}

/// A record argument. Its type is `#[repr(C, packed)]`; texts within are of type `Text`.
///
/// # Safety
/// As for `take_array`.
pub unsafe fn take_record<T: Copy>(pointer: *mut T) -> T {
    let value = pointer.read_unaligned();
    free(pointer as *mut u8);
    value
}

/// A text, or bytes, within a record or an array.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub struct Text {
    pub pointer: *mut u8,
    pub size: usize,
}

impl Text {
    /// A copy for the host, as a part of the result.
    pub fn part(text: &str) -> Text {
        let pointer = copy_of(text.as_bytes());
        keep(pointer);
        Text { pointer, size: text.len() }
    }

    /// The text; its memory is freed.
    ///
    /// # Safety
    /// Only once, and only for what the host gave.
    pub unsafe fn take(self) -> String {
        take_text(self.pointer, self.size)
    }
}

// ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Make a text the result.
pub fn give_text(text: &str) {
    give(copy_of(text.as_bytes()), text.len());
}

/// Make an array of numbers, texts (`Text::part`) or record pointers the result.
pub fn give_array<T: Copy>(items: &[T]) {
    let bytes = unsafe { std::slice::from_raw_parts(items.as_ptr() as *const u8, std::mem::size_of_val(items)) };
    give(copy_of(bytes), items.len());
}

/// Make a `#[repr(C, packed)]` record the result.
pub fn give_record<T: Copy>(record: &T) {
    let bytes = unsafe { std::slice::from_raw_parts(record as *const T as *const u8, std::mem::size_of::<T>()) };
    give(copy_of(bytes), 0);
}

// ── functions the host calls ─────────────────────────────────────────────────────────────────────────────────────────

#[no_mangle]
pub extern "C" fn allocate(count: usize, kind: usize) -> *mut u8 {
    const SIZES: [usize; 11] = [1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8];
    match SIZES.get(kind) {
        Some(size) => block(count.checked_mul(*size).expect("a block is too large")),
        None => std::ptr::null_mut(),
    }
}

#[no_mangle]
pub extern "C" fn release_objects() {
    let mut at = RESULTS.swap(0, Relaxed);
    while at != 0 {
        unsafe {
            let next = (*(at as *const Block)).next;
            free((at as *mut u8).add(HEAD));
            at = next;
        }
    }
}

#[no_mangle]
pub extern "C" fn get_result_ptr() -> usize {
    RESULT_POINTER.load(Relaxed)
}

#[no_mangle]
pub extern "C" fn get_result_size() -> usize {
    RESULT_SIZE.load(Relaxed)
}

#[no_mangle]
pub extern "C" fn set_result_ptr(pointer: usize) {
    RESULT_POINTER.store(pointer, Relaxed);
}

#[no_mangle]
pub extern "C" fn set_result_size(size: usize) {
    RESULT_SIZE.store(size, Relaxed);
}

// ── the host ─────────────────────────────────────────────────────────────────────────────────────────────────────────

#[link(wasm_import_module = "__marine_host_api_v3")]
extern "C" {
    fn log_utf8_string(level: u32, target: u32, text: *const u8, size: usize);
    fn get_call_parameters();
}

#[derive(Clone, Copy)]
pub enum Level {
    Error = 1,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Log a text. A module that uses this loads only where its logger is enabled.
pub fn log(level: Level, text: &str) {
    unsafe { log_utf8_string(level as u32, 0, text.as_ptr(), text.len()) };
}

#[derive(Clone, Copy)]
#[repr(C, packed)]
struct RawParticle {
    id: Text,
    init_peer_id: Text,
    timestamp: u64,
    ttl: u32,
    script: Text,
    signature: Text,
    token: Text,
}

#[derive(Clone, Copy)]
#[repr(C, packed)]
struct RawTetraplet {
    peer_pk: Text,
    service_id: Text,
    function_name: Text,
    lens: Text,
}

#[derive(Clone, Copy)]
#[repr(C, packed)]
struct RawOrigins {
    items: *mut *mut RawTetraplet,
    count: usize,
}

#[derive(Clone, Copy)]
#[repr(C, packed)]
struct RawCall {
    particle: *mut RawParticle,
    service_id: Text,
    service_creator_peer_id: Text,
    host_id: Text,
    worker_id: Text,
    tetraplets: *mut RawOrigins,
    tetraplet_count: usize,
}

pub struct Particle {
    pub id: String,
    pub init_peer_id: String,
    pub timestamp: u64,
    pub ttl: u32,
    pub script: String,
    pub signature: Vec<u8>,
    pub token: String,
}

pub struct Tetraplet {
    pub peer_pk: String,
    pub service_id: String,
    pub function_name: String,
    pub lens: String,
}

/// Who calls, and for every argument where its values come from.
pub struct Call {
    pub particle: Particle,
    pub service_id: String,
    pub service_creator_peer_id: String,
    pub host_id: String,
    pub worker_id: String,
    pub tetraplets: Vec<Vec<Tetraplet>>,
}

/// The parameters of the call that is running.
pub fn call_parameters() -> Call {
    unsafe {
        get_call_parameters();
        let call = take_record(get_result_ptr() as *mut RawCall);
        let particle = take_record(call.particle);
        let signature = particle.signature;
        Call {
            particle: Particle {
                id: particle.id.take(),
                init_peer_id: particle.init_peer_id.take(),
                timestamp: particle.timestamp,
                ttl: particle.ttl,
                script: particle.script.take(),
                signature: take_array(signature.pointer, signature.size),
                token: particle.token.take(),
            },
            service_id: call.service_id.take(),
            service_creator_peer_id: call.service_creator_peer_id.take(),
            host_id: call.host_id.take(),
            worker_id: call.worker_id.take(),
            tetraplets: take_array(call.tetraplets, call.tetraplet_count).into_iter().map(|one| origins(one)).collect(),
        }
    }
}

unsafe fn origins(group: RawOrigins) -> Vec<Tetraplet> {
    let items = take_array(group.items, group.count);
    items
        .into_iter()
        .map(|item| {
            let raw = take_record(item);
            Tetraplet {
                peer_pk: raw.peer_pk.take(),
                service_id: raw.service_id.take(),
                function_name: raw.function_name.take(),
                lens: raw.lens.take(),
            }
        })
        .collect()
}
