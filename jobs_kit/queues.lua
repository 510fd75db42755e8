-- The steps of a ReliableQueue. Redis runs a script from start to end before it runs any other
-- client's command, so each step is atomic: it happens as a whole or not at all.
--
--   hotqueue:queue                 the waiting messages, oldest first
--   hotqueue:queue:held:ana-1f03   the messages that the worker ana-1f03 has claimed
--   hotqueue:queue:workers         each worker and the time at which its lease ends
--   hotqueue:queue:last_activity   the time at which leases were last looked at
--   hotqueue:queue:graced          the workers that got one more lease since their last heartbeat
--   hotqueue:queue:claims          each worker and the number of its latest claim
--   hotqueue:queue:deaths          each message and the number of workers that died holding it
--   hotqueue:queue:puts            a random token for each put of the last minute
--   hotqueue:queue:dead            the dead letters: {"message": ..., "reason": ...}

local queue, call = KEYS[1], redis.call
local workers, latest_claims = queue .. ':workers', queue .. ':claims'
local deaths, put_tokens = queue .. ':deaths', queue .. ':puts'
local last_activity, graced = queue .. ':last_activity', queue .. ':graced'
local lease = tonumber(ARGV[2])  -- seconds
local clock = call('TIME')
local now = clock[1] + clock[2] / 1000000  -- Redis's clock, because workers' clocks may differ
local MAX_DEATHS = 3
local WATCHED_AFTER_DEATH = 3600  -- seconds

local function held_by(worker) return queue .. ':held:' .. worker end

-- Hooks: jobs.lua replaces them, so that a job's status changes in the same step as its queue.
local function do_nothing() end
local hooks = {
  -- (message, worker): returns nothing to accept the message, '' to drop it, or a reason to
  -- dead-letter it; then the details that the claim returns with the message.
  claim = do_nothing,
  acknowledge = do_nothing,  -- (message, worker, outcome, value, extra)
  requeue = do_nothing,  -- (message, worker)
  dead_letter = do_nothing,  -- (message, reason)
}

local function dead_letter(message, reason)
  call('HDEL', deaths, message)
  call('RPUSH', queue .. ':dead', cjson.encode({message = message, reason = reason}))
  hooks.dead_letter(message, reason)
end

-- Moves all messages that the worker holds to the head of the queue, in their old order.
local function requeue(worker)
  local message = call('LMOVE', held_by(worker), queue, 'RIGHT', 'LEFT')
  while message do
    hooks.requeue(message, worker)
    message = call('LMOVE', held_by(worker), queue, 'RIGHT', 'LEFT')
  end
  call('HDEL', latest_claims, worker)
end

-- Redis's clock was set back: leases must not last longer for it.
local function shift_leases(seconds)
  for _, worker in ipairs(call('ZRANGE', workers, 0, -1)) do
    call('ZINCRBY', workers, seconds, worker)
  end
end

-- After a lease without any activity it was Redis that was away, so no worker counts as dead and
-- each gets one more lease to come back, but no second one before it has sent a heartbeat.
local function grant_one_more_lease(living)
  for _, worker in ipairs(call('ZRANGE', workers, 0, -1)) do
    if worker ~= living and call('SADD', graced, worker) == 1 then
      call('ZADD', workers, 'GT', now + lease, worker)
    end
  end
end

-- Every step that changes the queue calls this, so any client that puts or takes messages requeues
-- those of dead workers. living: the worker that takes the step, if one does; its lease is renewed.
-- now_and_then: look at the leases only if that was not done for a tenth of a lease.
-- A dead worker is watched for another hour, because a command that it sent before its death may
-- still arrive and move a message to its list.
local function requeue_from_dead_workers(living, now_and_then)
  local silence = now - (call('GET', last_activity) or 0)
  if silence < 0 then shift_leases(silence) end
  if living then call('ZADD', workers, now + lease, living) end
  if now_and_then and silence >= 0 and silence < lease / 10 then return end
  if not living and call('EXISTS', workers) == 0 then return end
  call('SET', last_activity, now)
  if silence > lease then grant_one_more_lease(living) end
  for _, worker in ipairs(call('ZRANGEBYSCORE', workers, '-inf', now)) do
    local message = call('LINDEX', held_by(worker), 0)
    if message and call('HEXISTS', latest_claims, worker) == 1
      and call('HINCRBY', deaths, message, 1) >= MAX_DEATHS then
      call('LPOP', held_by(worker))
      dead_letter(message, MAX_DEATHS .. ' workers died while they held it')
    end
    requeue(worker)
  end
  for _, worker in ipairs(call('ZRANGEBYSCORE', workers, '-inf', now - WATCHED_AFTER_DEATH)) do
    call('ZREM', workers, worker)
    call('SREM', graced, worker)
  end
end

-- Only the worker's latest claim can be acknowledged. Another number is stale: the message was
-- requeued meanwhile, so nothing changes.
local function acknowledge(worker, outcome, value, extra)
  local message = call('LPOP', held_by(worker))
  if not message then return end
  if outcome == 'unreadable' then return dead_letter(message, value) end
  call('HDEL', deaths, message)
  hooks.acknowledge(message, worker, outcome, value, extra)
end

-- Idempotent: a worker that already holds a message gets it again, because the reply to its last
-- claim may have been lost.
local function claim(worker)
  while true do
    local held = call('LRANGE', held_by(worker), 0, -1)
    for _ = 2, #held do call('LMOVE', held_by(worker), queue, 'RIGHT', 'LEFT') end
    local message = held[1] or call('LMOVE', queue, held_by(worker), 'LEFT', 'RIGHT')
    if not message then return end
    local refusal, details = hooks.claim(message, worker)
    if not refusal then return {message, unpack(details or {})} end
    call('LPOP', held_by(worker))
    if refusal ~= '' then dead_letter(message, refusal) end
  end
end

local steps = {}

function steps.look()
  requeue_from_dead_workers(nil, true)
end

-- Idempotent: a client that lost the reply sends the same token again, and nothing is put twice.
function steps.put(token)
  requeue_from_dead_workers(nil, true)
  if call('ZADD', put_tokens, 'NX', now, token) == 0 then return end
  call('ZREMRANGEBYSCORE', put_tokens, '-inf', now - 60)
  for i = 4, #ARGV do call('RPUSH', queue, ARGV[i]) end
end

function steps.heartbeat(worker)
  call('SREM', graced, worker)
  requeue_from_dead_workers(worker)
end

function steps.next(worker, new_number, number, outcome, value, extra)
  requeue_from_dead_workers(worker, true)
  local latest = call('HGET', latest_claims, worker)
  if latest == number then acknowledge(worker, outcome, value, extra) end
  if tonumber(latest or 0) > tonumber(new_number) then return end
  call('HSET', latest_claims, worker, new_number)
  return claim(worker)
end

function steps.close(worker, new_number, number, outcome, value, extra)
  if call('HGET', latest_claims, worker) == number then
    acknowledge(worker, outcome, value, extra)
  end
  requeue(worker)
  call('ZADD', workers, now, worker)
end
