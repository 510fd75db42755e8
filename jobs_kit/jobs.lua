-- The hooks and steps that a queue of jobs adds to queues.lua: a job's status changes in the same
-- atomic step in which its id moves. A job is a hash:
--
--   job.3f2c…   id, status, start, end; worker, result, plot, error; expires (seconds);
--               history: "1764000000.000000 submitted\n1764000001.500000 in progress\n"
--   jobs        all ids, sorted by the time of submission

local job_prefix, index = KEYS[2], KEYS[3]
local time_text = clock[1] .. '.' .. ('00000' .. clock[2]):sub(-6)  -- 1764000000.000000

local function key_of(message)
  local is_json, id = pcall(cjson.decode, message)
  return job_prefix .. (is_json and type(id) == 'string' and id or '')
end

-- Returns the job of this message as a table, with its key; its status is false if there is none.
local function read(message)
  local key = key_of(message)
  local values = call('HMGET', key, 'status', 'worker', 'history', 'expires', 'start', 'end')
  return {
    key = key, status = values[1], worker = values[2], history = values[3] or '',
    expires = values[4], start = values[5], last = values[6],
  }
end

local function has_ended(status) return status == 'complete' or status == 'failed' end

local function is_permitted(old, new)
  return old == 'submitted' and new == 'in progress' or old == 'in progress' and has_ended(new)
end

-- Sets the status and further fields of a job in one call. arguments: field, value, ...
local function set_status(job, status, ...)
  local history = job.history .. time_text .. ' ' .. status .. '\n'
  call('HSET', job.key, 'status', status, 'history', history, ...)
  if has_ended(status) then call('EXPIRE', job.key, job.expires) end
end

local function is_in_progress_at(job, worker)
  return job.status == 'in progress' and job.worker == worker
end

-- Idempotent: an id may be on the queue twice, but its job is done once.
function hooks.claim(message, worker)
  local job = read(message)
  local holder = job.worker
  if not job.status then return 'there is no such job' end
  if has_ended(job.status) then return '' end
  if holder and holder ~= worker and call('LPOS', held_by(holder), message) then return '' end
  if job.status == 'submitted' then
    set_status(job, 'in progress', 'worker', worker)
  elseif holder ~= worker then
    call('HSET', job.key, 'worker', worker)
  end
  return nil, {job.start, job.last}
end

function hooks.acknowledge(message, worker, outcome, value, extra)
  local job = read(message)
  if not is_in_progress_at(job, worker) then return end
  if outcome == 'failed' then
    set_status(job, 'failed', 'error', value)
  elseif value == '' then
    set_status(job, 'complete')
  else
    set_status(job, 'complete', 'result', value, 'plot', extra)
  end
end

function hooks.requeue(message, worker)
  local job = read(message)
  if is_in_progress_at(job, worker) then set_status(job, 'submitted') end
end

function hooks.dead_letter(message, reason)
  local job = read(message)
  if job.status == 'in progress' then set_status(job, 'failed', 'error', reason) end
end

-- Saves and queues the job, or does neither. Idempotent: a client that lost the reply may send it
-- again.
function steps.add(message, id, start, last, expires)
  requeue_from_dead_workers(nil, true)
  if call('ZADD', index, 'NX', now, id) == 0 then return end
  local job = {key = key_of(message), history = ''}
  set_status(job, 'submitted', 'id', id, 'start', start, 'end', last, 'expires', expires)
  call('RPUSH', queue, message)
  -- remove expired jobs from the index: the two oldest jobs are checked with each new one
  for _, old in ipairs(call('ZRANGE', index, 0, 1)) do
    if call('EXISTS', job_prefix .. old) == 0 then call('ZREM', index, old) end
  end
end

-- Returns {the old status, 1 if the change is permitted, else 0}, or nothing for an unknown job.
function steps.update(id, status)
  requeue_from_dead_workers(nil, true)
  local job = read(cjson.encode(id))
  if not job.status then return end
  if job.status == status then return {status, 1} end
  if not is_permitted(job.status, status) then return {job.status, 0} end
  set_status(job, status)
  return {job.status, 1}
end
