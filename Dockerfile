# The server as an image. To build and run it: emulator/docs/ci.md, "Container".
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .
RUN python -m venv /opt/stackadapt-emulator \
    && /opt/stackadapt-emulator/bin/python -m pip install --no-cache-dir "$(echo /wheels/*.whl)[postgres]"

FROM python:3.13-slim
LABEL org.opencontainers.image.title="stackadapt-emulator" \
      org.opencontainers.image.description="Local emulator of the sync of Segment Engage audiences into StackAdapt" \
      org.opencontainers.image.licenses="Apache-2.0"
# A number, so that an orchestrator can see that it is not root. The volume gets the owner of the folder.
RUN useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin emulator \
    && install --directory --owner=emulator --group=emulator --mode=0700 /data
COPY --from=build /opt/stackadapt-emulator /opt/stackadapt-emulator
ENV PATH=/opt/stackadapt-emulator/bin:$PATH
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8585
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["stackadapt-emulator", "status", "--url", "http://127.0.0.1:8585"]
# Anyone who reaches the port may use the services. The control API needs a token: STACKADAPT_EMULATOR_SERVE_CONTROL_TOKEN,
# or one that is generated and printed.
ENTRYPOINT ["stackadapt-emulator"]
CMD ["serve", "--host", "0.0.0.0", "--data", "/data"]
