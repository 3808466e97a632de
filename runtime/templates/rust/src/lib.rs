mod marine;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[no_mangle]
pub unsafe extern "C" fn greet(name: *mut u8, size: usize) {
    let name = marine::take_text(name, size);
    marine::give_text(&format!("Hello, {}", name));
}

#[no_mangle]
pub unsafe extern "C" fn words(text: *mut u8, size: usize) {
    let text = marine::take_text(text, size);
    let found: Vec<marine::Text> = text.split(' ').filter(|word| !word.is_empty()).map(marine::Text::part).collect();
    marine::give_array(&found);
}

#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Stats {
    count: u32,
    mean: f64,
}

#[no_mangle]
pub unsafe extern "C" fn stats(values: *mut f64, count: usize) {
    let values = marine::take_array(values, count);
    let sum: f64 = values.iter().sum();
    let mean = if values.is_empty() { 0.0 } else { sum / values.len() as f64 };
    marine::give_record(&Stats { count: values.len() as u32, mean });
}

static VISITS: AtomicU64 = AtomicU64::new(0);

#[no_mangle]
pub extern "C" fn visits() -> u64 {
    VISITS.fetch_add(1, Relaxed) + 1
}

#[no_mangle]
pub extern "C" fn caller() {
    marine::give_text(&marine::call_parameters().particle.init_peer_id);
}
