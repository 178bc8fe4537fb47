import { BUILD } from '../contenders.js'
import { inChild } from '../lib/child.js'
import { say } from '../lib/say.js'

/** Whether a lookup on a server gets dearer as the sessions get more: two sizes side by side, and a control. */
export async function network(servers, { few, many, rounds, windowMs }) {
  const results = []
  for (const store of ['redis', 'postgres', 'mysql'].filter((name) => servers[name])) {
    say(`network: ${few.toLocaleString('en')} and ${many.toLocaleString('en')} sessions in ${servers[store]}`)
    const figures = await inChild('network', { build: BUILD, store, few, many, rounds, windowMs })
    results.push({ store: servers[store], fewSize: few, manySize: many, ...figures })
  }
  return results
}
