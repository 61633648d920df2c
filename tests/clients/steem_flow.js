'use strict'
// steem (npm) 0.7.11: everything a person does, once per way of connecting (settings.mode: http, ws or appbase).

const steem = require('steem')
const { amount, dev, difference, nextBlock, run, settings, step } = require('./steps')

const { keys } = settings
const api = steem.api
const broadcast = steem.broadcast

function connect () {
  steem.api.setOptions({ url: settings.url })
  steem.config.set('chain_id', settings.chainId)
  steem.config.set('address_prefix', settings.prefix)
  if (settings.mode === 'ws') steem.api.setOptions({ url: settings.wsUrl })
  if (settings.mode === 'appbase') steem.api.setOptions({ url: settings.url, useAppbaseApi: true })
}

async function account (name) {
  return (await api.getAccountsAsync([name]))[0]
}

async function sign (operations, wifs, changes = {}) {
  const transaction = await broadcast._prepareTransaction({ operations, extensions: [] })
  return steem.auth.signTransaction(Object.assign(transaction, changes), wifs)
}

async function send (operations, wifs, changes) {
  return api.broadcastTransactionSynchronousAsync(await sign(operations, wifs, changes))
}

const headNumber = async () => (await api.getDynamicGlobalPropertiesAsync()).head_block_number

const fee = async () => (await api.getChainPropertiesAsync()).account_creation_fee

const transfer = (value, to = 'bob', memo = '') => ['transfer', { from: 'alice', to, amount: value, memo }]

async function reads () {
  await step('connect', async () => await headNumber() > 0)
  await step('balances', async () => {
    const { balance, sbd_balance: sbd, vesting_shares: vests } = await account('alice')
    return { balance, sbd, vests }
  })
  await step('unknown_account', async () => (await api.getAccountsAsync(['nobody'])).length)
  await step('config', async () => (await api.getConfigAsync()).STEEM_ADDRESS_PREFIX)
  // The client refuses this over a websocket.
  if (settings.mode !== 'ws') {
    await step('call_by_full_name', async () => (await api.callAsync('condenser_api.get_accounts', [['bob']]))[0].name)
  }
}

async function accounts () {
  await step('create_account', async () => {
    const made = steem.auth.generateKeys('newcomer', 'secret', ['owner', 'active', 'posting', 'memo'])
    const authority = key => ({ weight_threshold: 1, account_auths: [], key_auths: [[key, 1]] })
    await broadcast.accountCreateAsync(keys.alice.active, await fee(), 'alice', 'newcomer', authority(made.owner),
      authority(made.active), authority(made.posting), made.memo, '{}')
    const row = await account('newcomer')
    return { name: row.name, active: row.active.key_auths[0][0] === made.active, recovery: row.recovery_account }
  })
  await step('claimed_account', async () => {
    const made = steem.auth.generateKeys('claimed', 'secret', ['owner', 'active', 'posting', 'memo'])
    const authority = key => ({ weight_threshold: 1, account_auths: [], key_auths: [[key, 1]] })
    await broadcast.claimAccountAsync(keys.alice.active, 'alice', await fee(), [])
    const waiting = (await account('alice')).pending_claimed_accounts
    await broadcast.createClaimedAccountAsync(keys.alice.active, 'alice', 'claimed', authority(made.owner),
      authority(made.active), authority(made.posting), made.memo, '', [])
    return [waiting, (await account('alice')).pending_claimed_accounts, (await account('claimed')).name]
  })
  await step('key_references', async () => {
    const key = steem.auth.wifToPublic(keys.alice.active)
    return (await api.getKeyReferencesAsync([key]))[0]
  })
}

async function money () {
  await step('transfer', async () => {
    const before = await account('bob')
    const sent = await Promise.all([
      broadcast.transferAsync(keys.alice.active, 'alice', 'bob', '1.000 STEEM', 'thanks'),
      broadcast.transferAsync(keys.alice.active, 'alice', 'bob', '2.500 SBD', '')
    ])
    const after = await account('bob')
    const transaction = await api.getTransactionAsync(sent[0].id)
    const block = await api.getBlockAsync(sent[0].block_num)
    return {
      balance: difference(after.balance, before.balance),
      sbd: difference(after.sbd_balance, before.sbd_balance),
      expired: sent[0].expired,
      operation: transaction.operations[0],
      in_block: block.transaction_ids[sent[0].trx_num] === sent[0].id
    }
  })
  await step('power_up', async () => {
    const before = await account('alice')
    await broadcast.transferToVestingAsync(keys.alice.active, 'alice', 'alice', '500.000 STEEM')
    const after = await account('alice')
    return {
      balance: difference(after.balance, before.balance),
      vests: Math.round(amount(after.vesting_shares) - amount(before.vesting_shares)) > 0
    }
  })
  await step('power_down_and_delegate', async () => {
    await Promise.all([
      broadcast.withdrawVestingAsync(keys.alice.active, 'alice', '13000.000000 VESTS'),
      broadcast.delegateVestingSharesAsync(keys.alice.active, 'alice', 'carol', '1000000.000000 VESTS')
    ])
    const { vesting_withdraw_rate: rate, delegated_vesting_shares: delegated } = await account('alice')
    return { rate, delegated, delegations: (await api.getVestingDelegationsAsync('alice', '', 10)).length }
  })
  await step('limit_order', async () => {
    const head = new Date((await api.getDynamicGlobalPropertiesAsync()).time + 'Z').getTime()
    await broadcast.limitOrderCreateAsync(keys.alice.active, 'alice', 7, '10.000 STEEM', '5.000 SBD', false,
      new Date(head + 86400000))
    return (await api.getOpenOrdersAsync('alice')).map(order => order.orderid)
  })
}

async function content () {
  await step('post', async () => {
    await broadcast.commentAsync(keys.alice.posting, '', 'plaudit', 'alice', 'hello', 'Hello', 'The body, öäü.',
      { tags: ['plaudit'] })
    const { title, body, author, permlink } = await api.getContentAsync('alice', 'hello')
    return { title, body, author, permlink }
  })
  await step('comment_options', async () => {
    await broadcast.commentOptionsAsync(keys.alice.posting, 'alice', 'hello', '1000000.000 SBD', 10000, true, true,
      [[0, { beneficiaries: [{ account: 'bob', weight: 2500 }] }]])
    return (await api.getContentAsync('alice', 'hello')).beneficiaries
  })
  await step('vote_reply_and_custom_json', async () => {
    const [vote] = await Promise.all([
      broadcast.voteAsync(keys.bob.posting, 'bob', 'alice', 'hello', 10000),
      broadcast.commentAsync(keys.carol.posting, 'alice', 'hello', 'carol', 're-hello', '', 'Welcome', {}),
      broadcast.customJsonAsync(keys.alice.posting, [], ['alice'], 'plaudit-test', JSON.stringify({ n: 1 }))
    ])
    const votes = await api.getActiveVotesAsync('alice', 'hello')
    const replies = await api.getContentRepliesAsync('alice', 'hello')
    return {
      voters: votes.map(row => [row.voter, row.percent]),
      replies: replies.map(row => row.author),
      in_block: vote.block_num > 0
    }
  })
  await step('witness_vote', async () => {
    await broadcast.accountWitnessVoteAsync(keys.alice.active, 'alice', 'initminer', true)
    return (await account('alice')).witness_votes
  })
}

async function errors () {
  const vote = ['vote', { voter: 'alice', author: 'alice', permlink: 'hello', weight: 100 }]
  const other = ['vote', { voter: 'alice', author: 'carol', permlink: 're-hello', weight: 100 }]
  await step('error_missing_posting', () => send([vote], [keys.bob.posting]))
  await step('error_missing_active', () => broadcast.transferAsync(keys.alice.posting, 'alice', 'bob', '1.000 STEEM', ''))
  await step('error_missing_owner', async () => {
    const { owner } = await account('alice')
    const update = ['account_update', { account: 'alice', owner, memo_key: owner.key_auths[0][0], json_metadata: '' }]
    return send([update], [keys.alice.active])
  })
  await step('error_irrelevant_signature', () => send([transfer('0.001 STEEM')], [keys.alice.active, keys.bob.active]))
  await step('error_funds', () => send([transfer('9000000.000 STEEM')], [keys.alice.active]))
  await step('error_unknown_receiver', () => send([transfer('0.001 STEEM', 'nobody')], [keys.alice.active]))
  await step('error_unknown_sender', () =>
    send([['transfer', { from: 'nobody', to: 'bob', amount: '0.001 STEEM', memo: '' }]], [keys.alice.active]))
  await step('error_fee', () => {
    const authority = { weight_threshold: 1, account_auths: [], key_auths: [[steem.auth.wifToPublic(keys.bob.posting), 1]] }
    return broadcast.accountCreateAsync(keys.alice.active, '2.345 STEEM', 'alice', 'cheap', authority, authority,
      authority, authority.key_auths[0][0], '')
  })
  await step('error_mixed_authorities', () => send([vote, transfer('0.001 STEEM')], [keys.alice.active]))
  await step('error_duplicate', async () => {
    const signed = await sign([transfer('0.001 STEEM', 'bob', 'twice')], [keys.alice.active])
    await api.broadcastTransactionAsync(signed)
    return api.broadcastTransactionSynchronousAsync(signed)
  })
  const head = new Date((await api.getDynamicGlobalPropertiesAsync()).time + 'Z').getTime()
  await step('error_expired', () => send([transfer('0.001 STEEM')], [keys.alice.active], { expiration: new Date(head - 3000) }))
  await step('error_expiration_too_far', () =>
    send([transfer('0.001 STEEM')], [keys.alice.active], { expiration: new Date(head + 3700000) }))
  await step('error_tapos', () => send([transfer('0.001 STEEM')], [keys.alice.active], { ref_block_num: 1, ref_block_prefix: 12345 }))
  await step('error_vote_too_fast', async () => {
    const [first, second] = [await sign([vote], [keys.alice.posting]), await sign([other], [keys.alice.posting])]
    await nextBlock(headNumber)
    await api.broadcastTransactionAsync(first)
    return api.broadcastTransactionSynchronousAsync(second)
  })
  await step('error_unknown_method', () => new Promise((resolve, reject) =>
    api.send('condenser_api', { method: 'get_nothing', params: [] }, error => error ? reject(error) : resolve())))
  if (settings.mode !== 'ws') await step('error_unknown_api', () => api.callAsync('nowhere_api.get_nothing', []))
}

async function history () {
  await step('history', async () => {
    const entries = await api.getAccountHistoryAsync('alice', -1, 100)
    return entries.map(([number, entry]) => [number, entry.op[0]])
  })
  await step('stream', () => new Promise((resolve, reject) => {
    const numbers = []
    const stop = api.streamBlockNumber('head', (error, number) => {
      if (error) return reject(error)
      numbers.push(number)
      if (numbers.length === 3) {
        stop()
        resolve(numbers.map(one => one - numbers[0]))
      }
    })
  }))
  await step('stream_operations', async () => {
    let stop
    const seen = new Promise((resolve, reject) => {
      stop = api.streamOperations('head', (error, operation) => error ? reject(error) : resolve(operation))
    })
    await send([transfer('0.001 STEEM', 'bob', 'streamed')], [keys.alice.active])
    const operation = await seen
    stop()
    return operation
  })
}

async function payout () {
  await step('payout', async () => {
    await dev('advance_time', { seconds: 7 * 86400 })
    const { total_payout_value: author, curator_payout_value: curators, cashout_time: time } =
      await api.getContentAsync('alice', 'hello')
    return { author: amount(author) > 0, curators: amount(curators) > 0, time }
  })
  await step('claim', async () => {
    const before = await account('alice')
    const rewards = [before.reward_steem_balance, before.reward_sbd_balance, before.reward_vesting_balance]
    await broadcast.claimRewardBalanceAsync(keys.alice.posting, 'alice', ...rewards)
    const after = await account('alice')
    return {
      rewarded: amount(rewards[2]) > 0,
      left: [after.reward_steem_balance, after.reward_sbd_balance, after.reward_vesting_balance],
      sbd: difference(after.sbd_balance, before.sbd_balance) === difference(rewards[1], '0.000 SBD')
    }
  })
  await step('reward_history', async () => {
    const entries = await api.getAccountHistoryAsync('bob', -1, 100)
    return entries.map(([, entry]) => entry.op[0]).filter(name => name.endsWith('_reward'))
  })
}

run(async () => {
  connect()
  await reads()
  await accounts()
  await money()
  await content()
  await errors()
  await history()
  await payout()
})
