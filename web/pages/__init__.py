"""The pages people work with: server-rendered, whole without JavaScript."""
