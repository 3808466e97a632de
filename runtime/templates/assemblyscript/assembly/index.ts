import { block, callParameters, give, giveText, giveTexts, takeArray, takeText } from "./marine";

export { allocate, get_result_ptr, get_result_size, release_objects, set_result_ptr, set_result_size } from "./marine";

export function greet(name: usize, size: u32): void {
  giveText("Hello, " + takeText(name, size));
}

export function words(text: usize, size: u32): void {
  giveTexts(takeText(text, size).split(" ").filter((word) => word.length > 0));
}

export function stats(values: usize, count: u32): void {
  const numbers = takeArray<f64>(values, count);
  let sum: f64 = 0;
  for (let at = 0; at < numbers.length; at++) sum += numbers[at];
  const record = block(12); // count: u32, mean: f64
  store<u32>(record, count);
  store<f64>(record, count == 0 ? 0 : sum / count, 4);
  give(record, 0);
}

let countOfVisits: u64 = 0;

export function visits(): u64 {
  return ++countOfVisits;
}

export function caller(): void {
  giveText(callParameters().particle.initPeerId);
}
