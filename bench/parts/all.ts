import type { Part } from '../lib/part.js'
import * as batching from './batching.js'
import * as inProcess from './in-process.js'
import * as network from './network.js'
import * as profile from './profile.js'
import * as scale from './scale.js'
import * as shapes from './shapes.js'
import * as throughput from './throughput.js'

const part = <Result>(one: Part<Result>): Part => one

/** Everything that can be measured, by the name of its option. */
export const parts = {
  throughput: part(throughput),
  'in-process': part(inProcess),
  shapes: part(shapes),
  scale: part(scale),
  network: part(network),
  batching: part(batching),
  profile: part(profile),
}

export type PartName = keyof typeof parts
