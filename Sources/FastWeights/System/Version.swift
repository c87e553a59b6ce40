/// The version of this library and its tool, as results name it.
let libraryVersion = "0.1.0"
