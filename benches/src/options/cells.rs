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
