use quote::{ToTokens, quote};
use syn::{File, ImplItem, Item, ItemImpl};

use super::*;

const ERRORS: &str = "compile_error !";

fn expand(options: TokenStream, item: TokenStream) -> File {
    let expanded = service(options, item);
    let text = expanded.to_string();
    syn::parse2(expanded).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn employee_service() -> TokenStream {
    quote! {
        /// Who works here.
        pub(crate) trait EmployeeService {
            #[rpc(idempotent, retries = 3, hedge = "p99.9", timeout = "300ms", encoding = "array")]
            async fn get(&self, id: u64, #[rpc(default)] fields: Vec<String>) -> Result<Employee, Status>;
            #[rpc(idempotent, hedge = "20ms")]
            async fn count(&self) -> Result<u64, Status>;
        }
    }
}

/// Names of the items beside the `const _`.
fn names(file: &File) -> Vec<String> {
    let name = |item: &Item| match item {
        Item::Trait(item) => Some(item.ident.to_string()),
        Item::Struct(item) => Some(item.ident.to_string()),
        _ => None,
    };
    file.items.iter().filter_map(name).collect()
}

/// Every `impl` inside the `const _`, as `Trait for Type`.
fn impls(file: &File) -> Vec<ItemImpl> {
    let Some(Item::Const(constant)) = file
        .items
        .iter()
        .find(|item| matches!(item, Item::Const(_)))
    else {
        return Vec::new();
    };
    let block: syn::Block = syn::parse2(constant.expr.to_token_stream()).unwrap();
    let item = |statement| match statement {
        syn::Stmt::Item(Item::Impl(item)) => Some(item),
        _ => None,
    };
    block.stmts.into_iter().filter_map(item).collect()
}

#[test]
fn a_trait_becomes_itself_a_client_and_a_server() {
    let file = expand(TokenStream::new(), employee_service());
    assert_eq!(
        names(&file),
        ["EmployeeService", "EmployeeClient", "EmployeeServer"]
    );
    let shared = file.items.iter().all(|item| match item {
        Item::Trait(item) => item.vis.to_token_stream().to_string() == "pub (crate)",
        Item::Struct(item) => item.vis.to_token_stream().to_string() == "pub (crate)",
        _ => true,
    });
    assert!(shared, "all are as visible as the trait");
}

#[test]
fn the_trait_keeps_nothing_that_only_the_macro_understands() {
    let file = expand(TokenStream::new(), employee_service());
    let text = file.items[0].to_token_stream().to_string();
    assert!(!text.contains("rpc") && !text.contains("async"), "{text}");
    assert!(text.contains("Who works here"), "{text}");
}

#[test]
fn client_and_arc_implement_every_method() {
    let file = expand(TokenStream::new(), employee_service());
    let methods = |item: &ItemImpl| {
        item.items
            .iter()
            .filter(|item| matches!(item, ImplItem::Fn(_)))
            .count()
    };
    let contract: Vec<_> = impls(&file)
        .into_iter()
        .filter(
            |item| matches!(&item.trait_, Some((_, path, _)) if path.is_ident("EmployeeService")),
        )
        .collect();
    assert_eq!(contract.iter().map(methods).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn options_reach_the_schema() {
    let text = service(
        quote!(name = "hr.employee", version = "2"),
        employee_service(),
    )
    .to_string();
    for part in [
        r#"ServiceSchema :: new ("hr.employee" , "2" , "Who works here." , & __DOGE_METHODS)"#,
        r#"MethodSchema :: new ("hr.employee" , "get" , 0)"#,
        r#"ArgumentSchema :: new ("fields" , "Vec<String>") . with_default ()"#,
        r#". with_returns ("Employee" , "Status")"#,
        ". with_idempotent () . with_retries (3u32) . with_hedge (:: doge_rpc :: __private :: HedgeDelay :: Percentile (99.9f64))",
        ":: __private :: HedgeDelay :: After (:: core :: time :: Duration :: new (0u64 , 20000000u32))",
        ". with_timeout (:: core :: time :: Duration :: new (0u64 , 300000000u32))",
        ". with_arrays (& [",
        ":: __private :: explore :: < Employee >",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn the_facade_can_be_elsewhere() {
    let text = service(quote!(crate = "our::rpc"), employee_service()).to_string();
    assert!(
        text.contains("our :: rpc :: __private") && !text.contains("doge_rpc"),
        "{text}"
    );
}

#[test]
fn names_follow_the_trait() {
    for (name, client) in [
        ("Employees", "EmployeesClient"),
        ("Service", "ServiceClient"),
        ("r#fn", "fnClient"),
    ] {
        let name: syn::Ident = syn::parse_str(name).unwrap();
        let file = expand(TokenStream::new(), quote!(trait #name {}));
        assert_eq!(names(&file)[1], client);
    }
}

#[test]
fn errors_come_with_all_that_others_refer_to() {
    let item = quote! {
        trait BrokenService {
            fn get(&mut self, (a, b): (u8, u8)) -> Result<u8, Status>;
            #[rpc(timeout = "soon")]
            async fn wait(&self) -> u8;
        }
    };
    let text = service(TokenStream::new(), item.clone()).to_string();
    assert_eq!(text.matches(ERRORS).count(), 5, "{text}");
    let file = expand(TokenStream::new(), item);
    assert_eq!(
        names(&file),
        ["BrokenService", "BrokenClient", "BrokenServer"]
    );
    let clients = impls(&file)
        .into_iter()
        .filter(|item| item.self_ty.to_token_stream().to_string() == "BrokenClient");
    assert_eq!(clients.count(), 2, "its own methods and the trait's");
}

#[test]
fn what_is_no_trait_is_left_alone() {
    let item = quote!(
        struct Employees {
            count: u8,
        }
    );
    let text = service(TokenStream::new(), item.clone()).to_string();
    assert!(
        text.contains(ERRORS) && text.ends_with(&item.to_string()),
        "{text}"
    );
}
