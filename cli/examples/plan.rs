//! Plans a deploy for a world that is made up, and prints its steps: `cargo run -p cutover --example plan`.
#![expect(clippy::print_stdout, reason = "an example shows something")]

use cutover::plan::{Condition, Goal, Live, Occupant, Refusal, ReleaseId, SlotState, World, plan};
use cutover_proxyconf::{BySlot, Slot};

fn main() -> Result<(), Refusal> {
    let old = Occupant { release: ReleaseId("old".into()), condition: Condition::Healthy };
    let blue = SlotState { accepted: Some(old), candidate: None };
    let slots = BySlot { blue, green: SlotState::default() };
    let world = World {
        live: Live::Serving(Slot::Blue),
        edge_current: true,
        slots,
        shares: BySlot::default(),
        compared: false,
    };
    let goal = Goal::Deploy { release: ReleaseId("new".into()), promote: true, canary: vec![5, 25] };
    for (number, step) in plan(&world, &goal)?.steps.iter().enumerate() {
        println!("{}. {step}", number + 1);
    }
    Ok(())
}
