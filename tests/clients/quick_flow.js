'use strict'
// Connects, reads a balance and sends a transfer: one client (settings.client) on any chain.

const { difference, run, settings, step } = require('./steps')

const key = settings.keys.alice.active
const value = '1.000 ' + settings.symbol
const payment = { from: 'alice', to: 'bob', amount: value, memo: 'quick' }

function steem () {
  const steem = require('steem')
  steem.api.setOptions({ url: settings.url })
  steem.config.set('chain_id', settings.chainId)
  steem.config.set('address_prefix', settings.prefix)
  return {
    balance: async name => (await steem.api.getAccountsAsync([name]))[0].balance,
    send: () => steem.broadcast.transferAsync(key, payment.from, payment.to, payment.amount, payment.memo)
  }
}

function dsteem (library) {
  const client = new library.Client(settings.url, { chainId: settings.chainId, addressPrefix: settings.prefix })
  return {
    balance: async name => (await client.database.getAccounts([name]))[0].balance,
    send: () => client.broadcast.transfer(payment, library.PrivateKey.fromString(key))
  }
}

run(async () => {
  const made = settings.client === 'steem'
    ? steem()
    : dsteem(require(settings.client === 'dhive' ? '@hiveio/dhive' : 'dsteem'))
  const before = await step('balance', () => made.balance('bob'))
  await step('transfer', async () => {
    await made.send()
    return difference(await made.balance('bob'), before)
  })
})
