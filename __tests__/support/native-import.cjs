/** Loads an ES module inside Jest, which compiles `import()` of TypeScript files to `require()`. */
exports.nativeImport = (name) => import(name)
