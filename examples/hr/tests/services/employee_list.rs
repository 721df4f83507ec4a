//! Pages and filters.

use hr::employee::{EmployeeService, Employment, Filter};

use crate::{
    employee::{open, to},
    people::{number, record},
};

#[tokio::test]
async fn pages_follow_each_other_while_people_come_and_go() {
    let (_folder, employees) = open().await;
    let records = (1..=10).map(record).collect();
    employees.import(records).await.unwrap();
    let all = Filter::default;

    let first = employees.list(all(), None, 4).await.unwrap();
    employees.import(vec![record(50)]).await.unwrap();
    employees.terminate(number(4)).await.unwrap();
    let second = employees.list(all(), first.next, 4).await.unwrap();
    let third = employees.list(all(), second.next, 4).await.unwrap();

    let numbers = [first, second, third].map(|page| {
        let numbers = page.employees.iter().map(|employee| employee.number.get());
        (numbers.collect::<Vec<_>>(), page.next.is_some())
    });
    let expected = [
        (vec![1, 2, 3, 4], true),
        (vec![5, 6, 7, 8], true),
        (vec![9, 10, 50], false),
    ];
    assert_eq!(numbers, expected);
    let exactly = employees.list(all(), None, 11).await.unwrap();
    assert_eq!((exactly.employees.len(), exactly.next), (11, None));
    assert_eq!(
        employees
            .list(all(), None, 0)
            .await
            .unwrap()
            .employees
            .len(),
        1
    );
}

#[tokio::test]
async fn filters_narrow_lists_and_counts_alike() {
    let (_folder, employees) = open().await;
    employees
        .import((1..=5).map(record).collect())
        .await
        .unwrap();
    employees.transfer(number(2), to("Sales")).await.unwrap();
    employees.terminate(number(3)).await.unwrap();
    for (department, employment, expected) in [
        (None, None, vec![1, 2, 3, 4, 5]),
        (Some("Research"), None, vec![1, 3, 4, 5]),
        (Some("Research"), Some(Employment::Active), vec![1, 4, 5]),
        (None, Some(Employment::Terminated), vec![3]),
        (Some("' OR 1=1 --"), None, vec![]),
    ] {
        let department = department.map(str::to_owned);
        let filter = Filter {
            department,
            employment,
        };
        let page = employees.list(filter.clone(), None, 100).await.unwrap();
        let numbers = page.employees.iter().map(|employee| employee.number.get());
        assert_eq!(numbers.collect::<Vec<_>>(), expected, "{filter:?}");
        let count = employees.count(filter).await.unwrap();
        assert_eq!(count, expected.len() as u64);
    }
}
