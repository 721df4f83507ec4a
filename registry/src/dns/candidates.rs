use hickory_resolver::proto::rr::Name;

/// The names that a name may stand for, as
/// [resolv.conf(5)](https://man7.org/linux/man-pages/man5/resolv.conf.5.html) has it.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The search list.
    pub(super) domains: Vec<Name>,
    /// A name with at least so many dots is asked as it is first.
    pub(super) dots: usize,
}

impl Search {
    /// The absolute names to ask for `name`, in their order.
    pub(super) fn names(&self, name: &Name) -> Vec<Name> {
        if name.is_fqdn() {
            return vec![name.clone()];
        }
        let mut absolute = name.clone();
        absolute.set_fqdn(true);
        let dots = usize::from(name.num_labels()).saturating_sub(1);
        let completed = self.domains.iter().filter_map(|domain| {
            // A name that gets too long is none.
            let mut completed = name.clone().append_domain(domain).ok()?;
            completed.set_fqdn(true);
            Some(completed)
        });
        let mut names: Vec<Name> = completed.collect();
        let place = if dots >= self.dots { 0 } else { names.len() };
        names.insert(place, absolute);
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str, domains: &[&str], dots: usize) -> Vec<String> {
        let domains = domains.iter().map(|it| it.parse().unwrap()).collect();
        let names = Search { domains, dots }.names(&name.parse().unwrap());
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_search_list_completes_a_name_before_or_after_the_name_itself() {
        let list = ["hr.svc.cluster.local", "svc.cluster.local"];
        let completed = [
            "employee.hr.hr.svc.cluster.local.",
            "employee.hr.svc.cluster.local.",
        ];
        let [one, two] = completed;
        assert_eq!(names("employee.hr", &list, 5), [one, two, "employee.hr."]);
        assert_eq!(names("employee.hr", &list, 1), ["employee.hr.", one, two]);
        assert_eq!(names("employee.hr.", &list, 5), ["employee.hr."]);
        assert_eq!(names("employee.hr", &[], 5), ["employee.hr."]);
    }

    #[test]
    fn a_name_that_gets_too_long_is_not_asked() {
        let long = ["x".repeat(60).as_str(); 4].join(".");
        assert_eq!(names("a.b.c.d.e.f", &[&long], 9), ["a.b.c.d.e.f."]);
    }
}
