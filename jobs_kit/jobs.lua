-- The hooks and steps that a queue of jobs adds to queues.lua: a job's status changes in the same
-- atomic step in which its id moves. A job is a hash:
--
--   job.3f2c…   id, status, start, end; worker, result, plot, error; expires (seconds);
--               history: "1764000000.000000 submitted\n1764000001.500000 in progress\n"
--   jobs        all ids, sorted by the time of submission

local job_prefix, index = KEYS[2], KEYS[3]
local PERMITTED = {  -- status: the statuses that may follow it
  submitted = {['in progress'] = true},
  ['in progress'] = {complete = true, failed = true},
  complete = {},
  failed = {},
}

local function key_of(message)
  local is_json, id = pcall(cjson.decode, message)
  return job_prefix .. (is_json and type(id) == 'string' and id or '')
end

local function set_status(key, status)
  local history = call('HGET', key, 'history') or ''
  history = history .. string.format('%.6f %s\n', now, status)
  call('HSET', key, 'status', status, 'history', history)
  if not next(PERMITTED[status]) then  -- the job has ended
    call('EXPIRE', key, call('HGET', key, 'expires'))
  end
end

local function is_in_progress_at(key, worker)
  local job = call('HMGET', key, 'status', 'worker')
  return job[1] == 'in progress' and job[2] == worker
end

-- Idempotent: an id may be on the queue twice, but its job is done once.
function hooks.claim(message, worker)
  local key = key_of(message)
  local job = call('HMGET', key, 'id', 'start', 'end', 'status', 'worker')
  local status, holder = job[4], job[5]
  if not status then return 'there is no such job' end
  if status == 'complete' or status == 'failed' then return '' end
  if holder and holder ~= worker and call('LPOS', held_by(holder), message) then return '' end
  if not is_in_progress_at(key, worker) then
    call('HSET', key, 'worker', worker)
    if status == 'submitted' then set_status(key, 'in progress') end
  end
  return nil, {job[1], 'in progress', job[2], job[3]}
end

function hooks.acknowledge(message, worker, outcome, value, extra)
  local key = key_of(message)
  if not is_in_progress_at(key, worker) then return end
  if outcome == 'failed' then
    call('HSET', key, 'error', value)
    return set_status(key, 'failed')
  end
  if value ~= '' then call('HSET', key, 'result', value, 'plot', extra) end
  set_status(key, 'complete')
end

function hooks.requeue(message, worker)
  local key = key_of(message)
  if is_in_progress_at(key, worker) then set_status(key, 'submitted') end
end

function hooks.dead_letter(message, reason)
  local key = key_of(message)
  if call('HGET', key, 'status') == 'in progress' then
    call('HSET', key, 'error', reason)
    set_status(key, 'failed')
  end
end

-- Saves and queues the job, or does neither. Idempotent: a client that lost the reply may send it
-- again.
function steps.add(message, id, start, last, expires)
  requeue_from_dead_workers(nil, true)
  local key = key_of(message)
  if call('EXISTS', key) == 1 then return end
  call('HSET', key, 'id', id, 'start', start, 'end', last, 'expires', expires)
  set_status(key, 'submitted')
  call('RPUSH', queue, message)
  call('ZADD', index, now, id)
  -- remove expired jobs from the index: the two oldest jobs are checked with each new one
  for _, old in ipairs(call('ZRANGE', index, 0, 1)) do
    if call('EXISTS', job_prefix .. old) == 0 then call('ZREM', index, old) end
  end
end

function steps.job(id)
  requeue_from_dead_workers(nil, true)
  return call('HMGET', job_prefix .. id, 'id', 'status', 'start', 'end')
end

-- Returns {the old status, 1 if the change is permitted, else 0}, or nothing for an unknown job.
function steps.update(id, status)
  requeue_from_dead_workers(nil, true)
  local key = job_prefix .. id
  local old = call('HGET', key, 'status')
  if not old then return end
  if old == status then return {old, 1} end
  if not PERMITTED[old][status] then return {old, 0} end
  set_status(key, status)
  return {old, 1}
end
