# One image per package: docker build --build-arg PACKAGE=courses .
# The gateway's has the browser assets too: --build-arg PACKAGE=gateway --target gateway
FROM ghcr.io/astral-sh/uv:0.13 AS uv

FROM node:22-slim AS assets
WORKDIR /app/gateway
COPY gateway/package.json gateway/package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM python:3.13-slim AS build
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock ./
COPY shared shared
COPY services services
COPY gateway gateway
COPY stack stack
ARG PACKAGE
RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen --no-dev --package "$PACKAGE"

FROM python:3.13-slim AS process
# The volumes of the keys take their owner from these folders.
RUN useradd --system --uid 10001 --no-create-home rentree \
    && install --directory --owner=rentree /keys/private /keys/public
WORKDIR /app
# The packages are installed from their folders, where each finds its migrations.
COPY --from=build /app /app
ARG PACKAGE
ENV PACKAGE="$PACKAGE" PATH="/app/.venv/bin:$PATH" PYTHONUNBUFFERED=1
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
CMD ["sh", "-c", "exec python -m \"$PACKAGE\""]

FROM process AS gateway
# What assets.py serves, and no more: the packages come with their sources.
COPY --from=assets \
    /app/gateway/node_modules/govuk-frontend/dist/govuk/govuk-frontend.min.css \
    /app/gateway/node_modules/govuk-frontend/dist/govuk/govuk-frontend.min.js \
    gateway/node_modules/govuk-frontend/dist/govuk/
COPY --from=assets /app/gateway/node_modules/@cantoo/pdf-lib/dist/pdf-lib.esm.min.js \
    gateway/node_modules/@cantoo/pdf-lib/dist/

FROM process AS service
