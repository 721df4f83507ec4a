use super::{Options, all_if_empty};
use crate::{Cell, Group, Payload, Work, Workload};

/// What is measured unless the command line says otherwise.
impl Options {
    pub(super) fn groups(&self) -> Vec<Group> {
        let workloads = all_if_empty(&self.workload);
        let of = |workload| {
            self.cells(workload)
                .into_iter()
                .map(move |cells| Group { workload, cells })
        };
        workloads.into_iter().flat_map(of).collect()
    }

    /// The cells of a question, those together that are compared with each other.
    fn cells(&self, workload: Workload) -> Vec<Vec<Cell>> {
        let base = Cell::small(Work::Closed, 128);
        match workload {
            Workload::Closed => self.closed(),
            Workload::Open => {
                let shares = [50, 70, 90].map(|percent| Cell {
                    work: Work::Open { percent },
                    ..base
                });
                vec![[base].into_iter().chain(shares).collect()]
            }
            Workload::Mixed => vec![vec![base, Cell::small(Work::Mixed, 128)]],
            Workload::Chain => {
                let callers: &[usize] = if self.quick { &[16] } else { &[1, 16, 128] };
                let chain = |&concurrency| vec![Cell::small(Work::Chain, concurrency)];
                callers.iter().map(chain).collect()
            }
            Workload::Idle | Workload::InFlight | Workload::Syscalls => Vec::new(),
        }
    }

    fn closed(&self) -> Vec<Vec<Cell>> {
        let quick = self.quick && self.payload.is_empty();
        let payloads = if quick {
            vec![Payload::Small, Payload::Mib1]
        } else {
            all_if_empty(&self.payload)
        };
        let usual: &[usize] = if self.quick {
            &[1, 16]
        } else {
            &[1, 16, 128, 1024]
        };
        let concurrencies = if self.concurrency.is_empty() {
            usual
        } else {
            &self.concurrency
        };
        let mut cells = Vec::new();
        for &payload in &payloads {
            for &connections in self.connections(payload) {
                // A connection without callers would be idle, and not another cell.
                let enough = concurrencies
                    .iter()
                    .filter(|&&callers| callers >= connections);
                cells.extend(enough.map(|&concurrency| {
                    vec![Cell {
                        work: Work::Closed,
                        payload,
                        connections,
                        concurrency,
                    }]
                }));
            }
        }
        cells
    }

    /// Unless told otherwise, several only where they may matter: for calls that cost little, and for bytes to copy.
    fn connections(&self, payload: Payload) -> &[usize] {
        match payload {
            _ if !self.connections.is_empty() => &self.connections,
            Payload::Small | Payload::Kib64 => &[1, 8],
            Payload::Kib1 | Payload::Mib1 => &[1],
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::{Options, Work, Workload};

    #[test]
    fn a_full_run_asks_everything_and_leaves_no_connection_without_callers() {
        let plan = Options::parse_from(["bench"]).plan();
        let all = [
            Workload::Closed,
            Workload::Open,
            Workload::Mixed,
            Workload::Chain,
        ];
        for workload in all {
            assert!(plan.has(workload), "{workload:?}");
            for cell in plan.cells(workload) {
                assert!(cell.concurrency >= cell.connections, "{cell}");
            }
        }
    }

    #[test]
    fn an_open_loop_comes_after_the_closed_one_that_it_takes_its_share_of() {
        let plan = Options::parse_from(["bench", "--workload", "open"]).plan();
        assert_eq!(plan.groups.len(), 1);
        let works: Vec<_> = plan.cells(Workload::Open).map(|cell| cell.work).collect();
        let open = [50, 70, 90].map(|percent| Work::Open { percent });
        assert_eq!(works, [&[Work::Closed][..], &open].concat());
    }

    #[test]
    fn what_is_asked_for_is_measured_and_nothing_else() {
        let arguments = [
            "bench",
            "--workload=closed",
            "--payload=1KiB",
            "--concurrency=4",
        ];
        let plan = Options::parse_from(arguments).plan();
        let cells: Vec<_> = plan.cells(Workload::Closed).collect();
        let [cell] = cells[..] else {
            panic!("{cells:?}");
        };
        assert_eq!(cell.to_string(), "1 KiB × 4");
        assert!(!plan.has(Workload::Open));
    }
}
