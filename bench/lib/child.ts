// The other side of in-child.ts: `node child.js <module> <function> <settings>`.
const [module, name, settings] = process.argv.slice(2)
const { [name!]: measure } = await import(module!)
process.send!(await measure(JSON.parse(settings!)))
process.disconnect()
