'use strict'
// What the flows of the JavaScript clients share: the settings the test hands over, and one line of JSON for each step.

const settings = JSON.parse(process.argv[2])

function print (line) {
  process.stdout.write(JSON.stringify(line) + '\n')
}

// Runs one step; what it returns, or the error that the client raises, is the step's outcome.
async function step (name, action) {
  try {
    const value = await action()
    print({ step: name, value: value === undefined ? null : value })
    return value
  } catch (error) {
    print({ step: name, error: { type: error.name, message: error.message, text: String(error) } })
  }
}

// The node's own development commands; no client has a function for them.
async function dev (method, params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'dev_api.' + method, params })
  const answer = await (await fetch(settings.url, { method: 'POST', body })).json()
  if (answer.error) throw new Error(answer.error.message)
  return answer.result
}

function amount (asset) {
  return Number(String(asset).split(' ')[0])
}

// The difference of two amounts of the same symbol, in thousandths, without the dust of binary fractions.
function difference (after, before) {
  return Math.round((amount(after) - amount(before)) * 1000)
}

// Waits until the head block changes: what is sent then goes into one and the same block.
async function nextBlock (headNumber) {
  const start = await headNumber()
  while (await headNumber() === start) await new Promise(resolve => setTimeout(resolve, 50))
}

function run (main) {
  main().then(() => process.exit(0), error => {
    process.stderr.write((error.stack || String(error)) + '\n')
    process.exit(1)
  })
}

module.exports = { amount, dev, difference, nextBlock, run, settings, step }
