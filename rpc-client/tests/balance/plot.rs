//! The picture in `docs/cluster.md`, from the same simulation as the table. Times are whole milliseconds and nothing is
//! computed by functions that differ between machines, so that each run draws the same.

use std::fmt::Write as _;

use doge_rpc_client::balance::{Balancing, LoadBalancing, Sample};

use super::simulation::{Act, Fleet, Period, Simulation};

/// Where it stands, as seen from the folder of the package.
pub(crate) const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/balancing.svg");

/// How long a usual call takes, in milliseconds.
const USUAL: f64 = 2.0;

/// Seconds of calls that make a point.
const BIN: u32 = 2;
const SECONDS: u32 = 80;

/// Shares of one endpoint of two over time.
type Line = Vec<f64>;

fn policies() -> [(&'static str, &'static str, LoadBalancing); 2] {
    [
        ("PeakEwma (default)", "#d52b1e", LoadBalancing::PeakEwma),
        ("LeastActive", "#0072b2", LoadBalancing::LeastActive),
    ]
}

/// What befalls the first of two endpoints, and when it does, in seconds.
struct Panel {
    title: &'static str,
    weights: [u32; 2],
    /// When it comes; it is there from the beginning at 0.
    comes: u32,
    /// When it is ten times as slow.
    slow: std::ops::Range<u32>,
    /// Whether its first call is ten times as slow.
    cold: bool,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "comes at 10 s, its first call ten times as slow",
        weights: [100, 100],
        comes: 10,
        slow: 0..0,
        cold: true,
    },
    Panel {
        title: "is ten times as slow from 10 to 40 s",
        weights: [100, 100],
        comes: 0,
        slow: 10..40,
        cold: false,
    },
    Panel {
        title: "has weight 50, the other one 100",
        weights: [50, 100],
        comes: 0,
        slow: 0..0,
        cold: false,
    },
];

impl Panel {
    fn simulate(&self, policy: LoadBalancing) -> Line {
        let fleet = Fleet::new(1, &self.weights);
        let balancing = Balancing {
            policy,
            ..Balancing::default()
        };
        let balancer = fleet.balancer(&balancing, 0);
        let mut simulation = Simulation::new(&fleet, balancer, 1, USUAL);
        simulation.in_rotation[0] = self.comes == 0;
        let mut cold = self.cold;
        let bin = |from: u32| {
            if self.comes > 0 && from == self.comes {
                fleet.nodes[0].warm_up_from(simulation.now());
                simulation.in_rotation[0] = true;
            }
            let slow = self.slow.contains(&from);
            let serve = |at: usize, _| -> Act {
                let slow = at == 0 && (slow || std::mem::replace(&mut cold, false));
                (if slow { 10.0 * USUAL } else { USUAL }, Sample::Answered)
            };
            let period: Period = simulation.run(f64::from(BIN), serve);
            period.share(1)
        };
        (0..SECONDS).step_by(BIN as usize).map(bin).collect()
    }
}

const WIDTH: u32 = 880;
const PANEL_HEIGHT: u32 = 170;
const LEFT: u32 = 50;
const PLOT_WIDTH: u32 = 800;
const PLOT_HEIGHT: u32 = 110;
const HEAD: u32 = 30;

/// The share at the upper edge.
const TOP: f64 = 1.25;

/// The picture.
pub(crate) fn draw() -> String {
    let mut svg = String::new();
    let height = HEAD + PANEL_HEIGHT * PANELS.len() as u32;
    let _ = writeln!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">
<rect width="{WIDTH}" height="{height}" fill="#fff"/>"##
    );
    for (number, (name, colour, _)) in (0..).zip(policies()) {
        let x = LEFT + 160 * number;
        let _ = writeln!(
            svg,
            r#"<path d="M{x} 16h24" stroke="{colour}" stroke-width="2"/><text x="{}" y="20">{name}</text>"#,
            x + 30,
        );
    }
    for (number, panel) in (0..).zip(&PANELS) {
        draw_panel(&mut svg, HEAD + PANEL_HEIGHT * number, panel);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_panel(svg: &mut String, top: u32, panel: &Panel) {
    let y = |share: f64| f64::from(top + 20 + PLOT_HEIGHT) - share / TOP * f64::from(PLOT_HEIGHT);
    let x = |seconds: u32| LEFT + seconds * PLOT_WIDTH / SECONDS;
    let _ = writeln!(
        svg,
        r#"<text x="{LEFT}" y="{}">One of two endpoints {}</text>"#,
        top + 12,
        panel.title,
    );
    for share in [0.0, 0.5, 1.0] {
        let _ = writeln!(
            svg,
            r##"<path d="M{LEFT} {0:.1}h{PLOT_WIDTH}" stroke="#ddd"/><text x="{1}" y="{2:.1}" text-anchor="end">{share:.1}</text>"##,
            y(share),
            LEFT - 6,
            y(share) + 4.0,
        );
    }
    for seconds in (0..=SECONDS).step_by(10) {
        let _ = writeln!(
            svg,
            r#"<text x="{}" y="{}" text-anchor="middle">{seconds} s</text>"#,
            x(seconds),
            top + 36 + PLOT_HEIGHT,
        );
    }
    for (_, colour, policy) in policies() {
        let mut path = String::new();
        for (from, share) in (0..).step_by(BIN as usize).zip(panel.simulate(policy)) {
            let (command, x) = (if from == 0 { 'M' } else { 'L' }, x(from + BIN / 2));
            let _ = write!(path, "{command}{x} {:.1}", y(share));
        }
        let _ = writeln!(
            svg,
            r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>"#
        );
    }
}
