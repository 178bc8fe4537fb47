// Prints what each entry of the package exports, by `require` and by `import`.
const { exports: entries } = require('express-sid/package.json')
const names = (found) =>
  Object.keys(found)
    .filter((name) => !['default', 'module.exports', '__esModule'].includes(name))
    .sort()

async function main() {
  const all = {}
  for (const entry of Object.keys(entries)) {
    if (entry === './package.json') continue
    const name = entry.replace('.', 'express-sid')
    all[entry] = { require: names(require(name)), import: names(await import(name)) }
  }
  console.log(JSON.stringify(all))
}
main()
