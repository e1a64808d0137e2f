//! The world in the small: two slots with two replicas each, nginx, and the names that containers have.

use std::fmt;
use std::hash::{Hash, Hasher};

use cutover_proxyconf::{BySlot, Slot};

use super::super::{Condition, Live, Occupant, ReleaseId, SlotState, World};

/// Replicas of a slot.
pub(super) const REPLICAS: usize = 2;

/// What may be marked for a slot: the stages of a canary, and what a killed run leaves on its way to the second.
pub(super) const SHARES: [u8; 3] = [5, 20, 50];
pub(super) const STAGES: [u8; 2] = [SHARES[0], SHARES[2]];

/// A container, or the lack of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Replica {
    Absent,
    Stopped,
    Well,
    Ill,
}

impl Replica {
    pub(super) fn runs(self) -> bool {
        matches!(self, Self::Well | Self::Ill)
    }
}

/// The release that goals ask for, and two others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Release {
    New,
    Old,
    Older,
}

impl Release {
    pub(super) fn id(self) -> ReleaseId {
        let id = match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Older => "older",
        };
        ReleaseId(id.to_owned())
    }
}

/// The containers of one slot that bear one kind of name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub(super) release: Release,
    pub(super) replicas: [Replica; REPLICAS],
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() { f.write_str("-") } else { write!(f, "{:?}{:?}", self.release, self.replicas) }
    }
}

impl Group {
    pub(super) const EMPTY: Self = Self { release: Release::New, replicas: [Replica::Absent; REPLICAS] };

    pub(super) fn is_empty(&self) -> bool {
        self.replicas.iter().all(|replica| *replica == Replica::Absent)
    }

    pub(super) fn all_run(&self) -> bool {
        self.replicas.iter().all(|replica| matches!(replica, Replica::Well | Replica::Ill | Replica::Absent))
    }

    pub(super) fn all_well(&self) -> bool {
        self.replicas.iter().all(|replica| *replica == Replica::Well)
    }

    /// As `slots::occupant` has it.
    fn occupant(&self) -> Option<Occupant> {
        if self.is_empty() {
            return None;
        }
        let all = |test: fn(Replica) -> bool| self.replicas.iter().copied().all(test);
        let condition = if self.all_well() {
            Condition::Healthy
        } else if all(Replica::runs) {
            Condition::Ailing
        } else if all(|replica| replica == Replica::Stopped) {
            Condition::Stopped
        } else {
            Condition::Broken
        };
        Some(Occupant { release: self.release.id(), condition })
    }
}

/// Which of the two names a container has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Accepted,
    Candidate,
}

/// The containers of one slot, by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Containers {
    pub(super) accepted: Group,
    pub(super) candidate: Group,
}

impl Containers {
    pub(super) fn group(&mut self, name: Name) -> &mut Group {
        match name {
            Name::Accepted => &mut self.accepted,
            Name::Candidate => &mut self.candidate,
        }
    }

    fn renamed_by_half(release: Release) -> Self {
        use Replica::{Absent, Well};
        let group = |replicas| Group { release, replicas };
        Self { accepted: group([Well, Absent]), candidate: group([Absent, Well]) }
    }

    fn shares_an_address(&self) -> bool {
        (0..REPLICAS).any(|n| self.accepted.replicas[n].runs() && self.candidate.replicas[n].runs())
    }

    /// Forgets which release it was that has no container any more.
    pub(super) fn forget(&mut self) {
        for group in [&mut self.accepted, &mut self.candidate] {
            if group.is_empty() {
                *group = Group::EMPTY;
            }
        }
    }

    /// As `slots::settle` has it: a candidate of which some replicas are renamed already is one candidate still.
    pub(super) fn half_renamed(&self) -> bool {
        !self.accepted.is_empty()
            && !self.candidate.is_empty()
            && self.accepted.release == self.candidate.release
            && (0..REPLICAS)
                .all(|n| self.accepted.replicas[n].min(self.candidate.replicas[n]) == Replica::Absent)
    }

    /// The accepted release and the candidate, by their roles.
    pub(super) fn roles(&self) -> (Group, Group) {
        if !self.half_renamed() {
            return (self.accepted, self.candidate);
        }
        let mut whole = self.candidate;
        for (replica, renamed) in whole.replicas.iter_mut().zip(self.accepted.replicas) {
            *replica = (*replica).max(renamed);
        }
        (Group::EMPTY, whole)
    }

    /// As `Standing::occupant` has it.
    pub(super) fn occupant(&self) -> Group {
        let (accepted, candidate) = self.roles();
        let candidate_runs = !candidate.is_empty() && candidate.all_run();
        if candidate_runs || accepted.is_empty() { candidate } else { accepted }
    }

    fn state(&self) -> SlotState {
        let (accepted, candidate) = self.roles();
        SlotState { accepted: accepted.occupant(), candidate: candidate.occupant() }
    }
}

/// What nginx runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Edge {
    Unserved,
    Stale,
    Current,
}

/// Everything there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) marker: Slot,
    pub(super) edge: Edge,
    pub(super) slots: BySlot<Containers>,
    pub(super) shares: BySlot<u8>,
}

/// All in one number, since the search takes it after every touch.
impl Hash for Model {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (slots, shares) = (&self.slots, &self.shares);
        let mut number = self.marker as u64 * 3 + self.edge as u64;
        for share in [shares.blue, shares.green] {
            number = number * 100 + u64::from(share);
        }
        for group in [slots.blue.accepted, slots.blue.candidate, slots.green.accepted, slots.green.candidate]
        {
            number = number * 3 + group.release as u64;
            for replica in group.replicas {
                number = number * 4 + replica as u64;
            }
        }
        state.write_u64(number);
    }
}

impl Model {
    pub(super) fn served(&self) -> bool {
        self.edge != Edge::Unserved
    }

    /// As cutover observes it.
    pub(super) fn observe(&self) -> World {
        let live =
            if self.served() { Live::Serving(self.marker) } else { Live::Unserved { next: self.marker } };
        World {
            live,
            edge_current: self.edge == Edge::Current,
            slots: BySlot::from_fn(|slot| self.slots.get(slot).state()),
            shares: self.shares,
            compared: true,
        }
    }

    /// How many of a hundred clients nginx sends to this slot.
    pub(super) fn clients(&self, slot: Slot) -> u8 {
        match () {
            () if !self.served() => 0,
            () if self.marker == slot => 100 - self.shares[slot.other()],
            () => self.shares[slot],
        }
    }

    /// How many of a hundred clients the new release answers.
    pub(super) fn with_new(&self) -> u8 {
        let new = |slot: &Slot| self.is_well(*slot) && self.slots[*slot].occupant().release == Release::New;
        Slot::ALL.into_iter().filter(new).map(|slot| self.clients(slot)).sum()
    }

    /// Whether this slot answers as it should.
    pub(super) fn is_well(&self, slot: Slot) -> bool {
        let containers = self.slots.get(slot);
        let (accepted, candidate) = containers.roles();
        // What the planner calls the occupant: a candidate only if it is whole.
        let runs = candidate.replicas.iter().all(|replica| replica.runs());
        if runs || accepted.is_empty() { candidate.all_well() } else { accepted.all_well() }
    }

    /// The same world with blue and green exchanged.
    pub(super) fn mirrored(self) -> Self {
        let BySlot { blue, green } = self.slots;
        Self {
            marker: self.marker.other(),
            edge: self.edge,
            slots: BySlot { blue: green, green: blue },
            shares: BySlot { blue: self.shares.green, green: self.shares.blue },
        }
    }

    /// The same world with blue live, and the releases that no goal names called in the order they are met. The plans
    /// for both are the same but for these words.
    pub(super) fn canonical(mut self) -> Self {
        if self.marker == Slot::Green {
            self = self.mirrored();
        }
        let mut first = None;
        let BySlot { blue, green } = &mut self.slots;
        for group in [&mut blue.accepted, &mut blue.candidate, &mut green.accepted, &mut green.candidate] {
            if group.release != Release::New {
                let old = *first.get_or_insert(group.release);
                group.release = if group.release == old { Release::Old } else { Release::Older };
            }
        }
        self
    }

    /// Every world that can be observed, whether or not cutover could have made it: but for two containers that run at
    /// one address, with the third release only where it tells, as the one that stands by, and with marks as `marked`
    /// has them.
    pub(super) fn every() -> impl Iterator<Item = Self> {
        Self::unmarked().flat_map(|model| std::iter::once(model).chain(model.marked()))
    }

    /// The same world with a share of the clients at the standby, with marks that are void, or with both. Which these are
    /// tells most beside what the other slot holds, so where that is no candidate is enough for most of them.
    fn marked(self) -> impl Iterator<Item = Self> {
        let (live, standby) = (self.marker, self.marker.other());
        let plain = |slot| self.slots[slot].candidate.is_empty();
        let marks = [
            (self.edge == Edge::Current, 0, SHARES[0]),
            (self.edge != Edge::Current && plain(live), 0, SHARES[2]),
            (plain(standby), SHARES[0], 0),
            (plain(live) && plain(standby), SHARES[0], SHARES[0]),
        ];
        marks.into_iter().filter(|(is, ..)| *is).map(move |(_, void, share)| {
            let mut marked = self;
            (marked.shares[live], marked.shares[standby]) = (void, share);
            marked
        })
    }

    fn unmarked() -> impl Iterator<Item = Self> {
        use Release::{New, Old, Older};
        let slots = |accepted: &[Release]| {
            let pairs = groups(accepted).into_iter().flat_map(|accepted| {
                groups(&[New, Old]).into_iter().map(move |candidate| Containers { accepted, candidate })
            });
            let half_renamed = [New, Old].map(Containers::renamed_by_half);
            pairs.filter(|pair| !pair.shares_an_address()).chain(half_renamed).collect::<Vec<_>>()
        };
        let (blue, green) = (slots(&[New, Old]), slots(&[New, Old, Older]));
        blue.into_iter().flat_map(move |blue| {
            let edges = [Edge::Unserved, Edge::Stale, Edge::Current];
            let beside = green.clone().into_iter().flat_map(move |green| edges.map(|edge| (green, edge)));
            beside.map(move |(green, edge)| {
                let shares = BySlot::default();
                Self { marker: Slot::Blue, edge, slots: BySlot { blue, green }, shares }.canonical()
            })
        })
    }
}

/// No containers, and those of each release in each condition.
fn groups(releases: &[Release]) -> Vec<Group> {
    use Replica::{Absent, Ill, Stopped, Well};
    let conditions = [[Well, Well], [Well, Ill], [Stopped, Stopped], [Stopped, Absent]];
    let of = |release: &Release| conditions.map(|replicas| Group { release: *release, replicas });
    std::iter::once(Group::EMPTY).chain(releases.iter().flat_map(of)).collect()
}
