//! An etcd that goes away and comes back while calls go on.
